/** `npm run bench:start`: how soon the built gateway is ready and how little memory it needs doing nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startPostern } from './postern-process.ts';
import { cpuMicros, machine, median, rssMegabytes } from './process-stats.ts';

const RUNS = 7;
const SETTLE_MS = 3_000;
const GOALS = { readyMs: 300, rssMegabytes: 110 };

const folder = mkdtempSync(join(tmpdir(), 'postern-start-'));
const readyMs: number[] = [];
const cpuMs: number[] = [];
const rss: number[] = [];
try {
  // the first start also makes the data directory and its keys
  for (let run = 0; run <= RUNS; run++) {
    const postern = await startPostern(folder);
    readyMs.push(postern.readyMs);
    cpuMs.push(cpuMicros(postern.pid) / 1000);
    await wait(SETTLE_MS);
    rss.push(rssMegabytes(postern.pid));
    await postern.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const [first = NaN, ...later] = readyMs;
console.log(machine());
console.log(`first start, with new keys   ${first.toFixed(0)} ms`);
console.log(`ready, median of ${RUNS}          ${median(later).toFixed(0)} ms (goal ${GOALS.readyMs})`);
console.log(`CPU until then               ${median(cpuMs.slice(1)).toFixed(0)} ms, all threads`);
console.log(`idle RSS, median of ${RUNS}       ${median(rss).toFixed(0)} MB (goal ${GOALS.rssMegabytes})`);
