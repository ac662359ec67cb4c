/**
 * `npm run bench:limits`: what limits cost a warm call. Two gateways as built, one without limits and one with, each
 * before an upstream that demands a client certificate, in turns; CPU time of the gateway alone, medians over rounds.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine, nodePlatform, openStage } from '../load/stage.ts';
import type { Stage } from '../load/stage.ts';
import { cpuMicros, machine, median } from '../process-stats.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '9' },
    concurrency: { type: 'string', default: '16' },
  },
});
const [calls, rounds, concurrency] = [values.calls, values.rounds, values.concurrency].map(Number) as [
  number,
  number,
  number,
];

/** Which never hold anybody up. */
const LIMITS: Readonly<Record<string, string | undefined>> = {
  none: undefined,
  'one rate': 'subject=1000000/second',
  'a rate and a concurrency': 'subject=1000000/second,concurrency=10000',
  'three rates': 'subject=1000000/second; tool=1000000/second; subject+gateway=1000000/second,name=both',
};
const MAIN = resolve(import.meta.dirname, '../../dist/adapters/node/main.js');

function openWith(limits: string | undefined): Promise<Stage> {
  const platform = nodePlatform();
  if (limits === undefined) return openStage('legacy', platform);
  const command = ['env', `POSTERN_LIMITS=${limits}`, process.execPath, MAIN];
  return openStage('legacy', { ...platform, startPostern: commandLine(command) });
}

async function microsPerCall({ postern, generator, params }: Stage, count: number): Promise<number> {
  const { target, pid = 0 } = postern;
  const before = cpuMicros(pid);
  const answer = await generator.ask<{ failure?: string }>({
    target,
    method: 'tools/call',
    params,
    calls: count,
    concurrency,
  });
  if (answer.failure !== undefined) throw new Error(answer.failure);
  return (cpuMicros(pid) - before) / count;
}

const stages: Record<string, Stage> = {};
const samples: Record<string, number[]> = {};
try {
  for (const [name, limits] of Object.entries(LIMITS)) {
    stages[name] = await openWith(limits);
    await microsPerCall(stages[name], 2 * calls);
  }
  for (let round = 0; round < rounds; round++)
    for (const [name, stage] of Object.entries(stages)) (samples[name] ??= []).push(await microsPerCall(stage, calls));
} finally {
  for (const stage of Object.values(stages)) await stage.close();
}

const off = samples['none'] ?? [];
console.log(machine());
console.log(`tools/call of 2025-11-25, ${calls} calls, ${concurrency} at a time, medians of ${rounds} rounds`);
console.table(
  Object.fromEntries(
    Object.entries(samples).map(([name, each]) => [
      name,
      {
        'cpu us/call': Number(median(each).toFixed(1)),
        'more than none': Number(median(each.map((micros, round) => micros - (off[round] ?? Number.NaN))).toFixed(1)),
      },
    ]),
  ),
);
