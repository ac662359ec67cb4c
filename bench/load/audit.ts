/**
 * `npm run bench:audit`: what a warm call costs more while it is recorded to a file.
 *
 * Two gateways as built before two upstreams of the same kind, one of them with POSTERN_AUDIT; rounds are interleaved, and
 * the difference is that of CPU time per call, writing and hashing included.
 */
import { parseArgs } from 'node:util';
import { machine, median } from '../process-stats.ts';
import { sample, WARM_UP_ROUNDS } from './measure.ts';
import { commandLine, openStage } from './stage.ts';
import { startWorker } from './worker.ts';

const GOAL_MICROS = 5;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    concurrency: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '9' },
  },
});
const load = {
  calls: Number(values.calls),
  concurrency: Number(values.concurrency),
  rounds: Number(values.rounds),
};

const open = (env: Readonly<Record<string, string>>) =>
  openStage('legacy', { startPostern: commandLine(undefined, env), startRelay: () => startWorker('relay') });
const stages = [await open({}), await open({ POSTERN_AUDIT: 'file:audit.ndjson' })];
const micros: [number[], number[]] = [[], []];
try {
  for (let round = -WARM_UP_ROUNDS; round < load.rounds; round++)
    for (const [index, stage] of stages.entries()) {
      const { ownMicros } = await sample(stage, stage.postern, load);
      if (round >= 0) micros[index]?.push(ownMicros);
    }
} finally {
  for (const stage of stages) await stage.close();
}
const [without, recorded] = micros;
const each = recorded.map((value, round) => value - (without[round] ?? Number.NaN));
console.log(machine());
console.log(`tools/call of 2025-11-25 over mutual TLS, ${load.calls} calls, ${load.concurrency} at a time`);
console.table({ 'cpu us/call': { without: median(without), recorded: median(recorded), more: median(each) } });
console.log(`goal: ${GOAL_MICROS} us more; by round ${each.map((value) => value.toFixed(1)).join(' ')}`);
