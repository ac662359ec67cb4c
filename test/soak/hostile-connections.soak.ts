/**
 * Ten thousand idle TLS connections, and among them slow headers, slow bodies, floods of headers and oversized bodies,
 * all from another process: a good client notices little, and when it is over nothing is left.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rssMegabytes } from '../../bench/process-stats.ts';
import type { HostileOrder, HostileReport } from '../support/hostile-clients.ts';
import { inspect } from '../support/inspected.ts';
import type { Inspected } from '../support/inspected.ts';
import { scaled } from '../support/soak-scale.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

const IDLE = scaled(10_000, 500);
const SLOW = scaled(500, 50);
const CALLS = 500;
/** Headers have 30 s, and are looked at every 5 s; to open that many slow connections takes its time as well. */
const SLOWEST_HEADERS_MS = 75_000;
/** Of a machine that is busy with both sides; it says nothing about one call more or less. */
const P99_MS = 3_000;

let gateway: TlsPostern;
let inspected: Inspected;
let hostile: ChildProcess;
const good = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  const limit = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  const wanted = IDLE + 4 * SLOW + 200;
  if (limit < wanted)
    throw new Error(
      `THIS MACHINE CANNOT: ${wanted} open files are needed, ${limit} allowed; raise the hard limit (ulimit -Hn) or set SOAK_SCALE`,
    );
  gateway = await startTlsPostern({ env: { NODE_OPTIONS: '--inspect=127.0.0.1:0', LOG_LEVEL: 'warn' } });
  inspected = await inspect(gateway.process.stderr());
  // Node raises its own limit to the hard one
  hostile = fork(resolve(import.meta.dirname, '../support/hostile-clients.ts'), { execArgv: [] });
});
afterAll(async () => {
  hostile.kill();
  good.destroy();
  inspected.close();
  await gateway.close();
});

async function order<T>(what: HostileOrder | 'report' | 'stop'): Promise<T> {
  hostile.send(what);
  const [answer] = (await once(hostile, 'message')) as [T];
  return answer;
}

const openFiles = (): number => readdirSync(`/proc/${gateway.process.pid}/fd`).length;

/** Latencies of calls, one after the other, until `isOver`. */
async function callUntil(isOver: (calls: number) => boolean | Promise<boolean>) {
  const latencies: number[] = [];
  while (!(await isOver(latencies.length))) {
    const startedMs = performance.now();
    expect(await gateway.echo('good', undefined, good)).toBe('good');
    latencies.push(performance.now() - startedMs);
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
  return { calls: latencies.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

const shown = ({ calls, p50, p99, max }: Awaited<ReturnType<typeof callUntil>>): string =>
  `${calls} calls, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${max.toFixed(0)} ms`;

test(`${IDLE} idle connections and ${2 * SLOW} slow ones leave a good client its calls, and nothing behind`, async () => {
  const target = { port: Number(new URL(gateway.process.url).port), ca: gateway.ca.pem, token: gateway.token };
  await callUntil((calls) => calls >= CALLS);
  const alone = await callUntil((calls) => calls >= CALLS);
  const before = { files: openFiles(), ...(await inspected.footprint()), rss: rssMegabytes(gateway.process.pid) };

  const opening = order<{ open: number }>({ do: 'idle', target, count: IDLE });
  let isOpen = false;
  void opening.then(() => (isOpen = true));
  const handshakes = await callUntil(() => isOpen);
  expect((await opening).open).toBe(IDLE);
  const amidIdle = await callUntil((calls) => calls >= CALLS);
  const full = { ...(await inspected.footprint()), rss: rssMegabytes(gateway.process.pid) };
  const perConnection = ((full.rss - before.rss) * 1e6) / IDLE;

  await order({ do: 'attack', target, each: SLOW });
  const startedMs = performance.now();
  let report = await order<HostileReport & { open: number }>('report');
  const underAttack = await callUntil(async (calls) => {
    if (calls % 50 === 0) report = await order('report');
    return report.slowHeadersEndedMs.length >= SLOW || performance.now() - startedMs > SLOWEST_HEADERS_MS;
  });
  console.log(
    [
      `alone: ${shown(alone)}`,
      `during ${IDLE} handshakes: ${shown(handshakes)}`,
      `amid ${IDLE} idle: ${shown(amidIdle)}`,
      `under attack: ${shown(underAttack)}`,
      `an idle connection: ${(perConnection / 1000).toFixed(1)} kB of RSS, ${((full.heapBytes - before.heapBytes) / IDLE / 1000).toFixed(1)} kB of heap`,
      `attack: ${JSON.stringify({ ...report, slowHeadersEndedMs: report.slowHeadersEndedMs.length })}`,
    ].join('\n'),
  );
  expect(report.slowHeadersEndedMs.length).toBe(SLOW);
  expect(Math.max(...report.slowHeadersEndedMs)).toBeLessThan(45_000);
  expect(report.open).toBeGreaterThanOrEqual(IDLE);
  expect(Math.min(...report.slowHeadersEndedMs)).toBeGreaterThan(25_000);
  expect(report.statuses['431']).toBeGreaterThan(10);
  expect(report.statuses['413']).toBeGreaterThan(1);
  expect(underAttack.p99).toBeLessThan(P99_MS);
  expect(amidIdle.p99).toBeLessThan(P99_MS);

  await order('stop');
  hostile.kill();
  await expect.poll(openFiles, { timeout: 30_000, interval: 200 }).toBeLessThanOrEqual(before.files + 2);
  const after = { ...(await inspected.footprint()), rss: rssMegabytes(gateway.process.pid) };
  console.log(
    `before ${(before.heapBytes / 1e6).toFixed(1)} MB heap, ${before.rss.toFixed(0)} MB RSS; full ${full.rss.toFixed(0)} MB; after ${(after.heapBytes / 1e6).toFixed(1)} MB heap, ${after.rss.toFixed(0)} MB RSS`,
  );
  expect(after.heapBytes - before.heapBytes).toBeLessThan(8_000_000);
  expect(after.sockets).toBeLessThanOrEqual(before.sockets + 2);
  expect((await callUntil((calls) => calls >= CALLS)).p99).toBeLessThan(P99_MS);
});
