/**
 * `npm run bench:load`: what a call through Postern costs, beside what any relay must cost.
 *
 * One warm upstream that demands a client certificate, three ways to it in one run: direct, the floor (relay.ts) and
 * Postern as built, driven over its public surface. Rounds are interleaved, numbers are medians over rounds. CPU time
 * is what to look at: on a small machine latency and throughput mostly tell how busy the other processes are.
 */
import { parseArgs } from 'node:util';
import { machine, median } from '../process-stats.ts';
import { measure, WARM_UP_ROUNDS, type Load, type Sample, type Samples } from './measure.ts';
import { printProfiles } from './profile.ts';
import { nodePlatform, openStage } from './stage.ts';

const GOAL = 1.25;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    concurrency: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '5' },
    modern: { type: 'boolean', default: false },
    'cpu-prof': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const load: Load = {
  calls: Number(values.calls),
  concurrency: Number(values.concurrency),
  rounds: Number(values.rounds),
};

function summary(samples: readonly Sample[]): Record<string, number> {
  const middle = (pick: (sample: Sample) => number, digits = 0): number =>
    Number(median(samples.map(pick)).toFixed(digits));
  return {
    'cpu us/call': middle((sample) => sample.ownMicros),
    'upstream us': middle((sample) => sample.upstreamMicros),
    'generator us': middle((sample) => sample.generatorMicros),
    'p50 ms': middle((sample) => sample.p50Ms, 2),
    'p99 ms': middle((sample) => sample.p99Ms, 2),
    'calls/s': middle((sample) => load.calls / sample.seconds),
    'rss MB': middle((sample) => sample.rssMegabytes),
  };
}

const stage = await openStage(values.modern ? 'modern' : 'legacy', nodePlatform(values['cpu-prof']));
let samples: Samples;
try {
  samples = await measure(stage, load);
} finally {
  await stage.close();
}

const subjects = Object.fromEntries(Object.entries(samples).map(([name, rounds]) => [name, summary(rounds)]));
const ratios = samples.postern.map((own, round) => own.ownMicros / (samples.floor[round]?.ownMicros ?? Number.NaN));
const ratio = median(ratios);

if (values.json) console.log(JSON.stringify({ machine: machine(), ...load, subjects, ratios, ratio }));
else {
  const era = values.modern ? '2026-07-28' : '2025-11-25';
  console.log(machine());
  console.log(
    `tools/call of ${era}, ${load.calls} calls, ${load.concurrency} at a time, medians of ${load.rounds} rounds`,
  );
  console.table(subjects);
  const each = ratios.map((value) => value.toFixed(2)).join(' ');
  console.log(`postern / floor, CPU per call: ${ratio.toFixed(2)} (goal ${GOAL}; by round ${each})`);
}
if (values['cpu-prof']) {
  const pids = { postern: stage.postern.pid ?? 0, floor: stage.floor.pid ?? 0 };
  printProfiles(values['cpu-prof'], pids, load.calls * (load.rounds + WARM_UP_ROUNDS));
}
