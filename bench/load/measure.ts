import { isDeepStrictEqual } from 'node:util';
import { cpuMicros, rssMegabytes } from '../process-stats.ts';
import type { Outcome } from './generator.ts';
import type { Stage, Subject } from './stage.ts';

export interface Load {
  /** Per subject and round. */
  readonly calls: number;
  readonly concurrency: number;
  readonly rounds: number;
}

/** One subject in one round; times are CPU time per call. */
export interface Sample extends Outcome {
  readonly ownMicros: number;
  readonly upstreamMicros: number;
  readonly generatorMicros: number;
  readonly rssMegabytes: number;
}

export interface Samples {
  readonly direct: Sample[];
  readonly floor: Sample[];
  readonly postern: Sample[];
}

/** Calls before the first round, in rounds: it takes the engine some 20,000 to settle. */
export const WARM_UP_ROUNDS = 2;

/** Warms every subject up, asserts that all answer alike, then measures them in turns. */
export async function measure(stage: Stage, load: Load): Promise<Samples> {
  const names = ['direct', 'floor', 'postern'] as const;
  const warm = { ...load, calls: load.calls * WARM_UP_ROUNDS };
  const results: unknown[] = [];
  for (const name of names) results.push((await run(stage, stage[name], warm)).result);
  if (!results.every((result) => isDeepStrictEqual(result, results[0])))
    throw new Error(`the subjects answer differently: ${JSON.stringify(results).slice(0, 500)}`);

  const samples: Samples = { direct: [], floor: [], postern: [] };
  for (let round = 0; round < load.rounds; round++)
    for (const name of names) samples[name].push(await sample(stage, stage[name], load));
  return samples;
}

/** One subject in one round. */
export async function sample(stage: Stage, subject: Subject, load: Load): Promise<Sample> {
  const { pid = 0 } = subject;
  const cpu = (): number[] => [pid, stage.upstreamPid, stage.generator.pid].map((id) => (id ? cpuMicros(id) : 0));
  const before = cpu();
  const outcome = await run(stage, subject, load);
  const perCall = cpu().map((micros, index) => (micros - (before[index] ?? 0)) / load.calls);
  const [ownMicros = 0, upstreamMicros = 0, generatorMicros = 0] = perCall;
  return { ...outcome, ownMicros, upstreamMicros, generatorMicros, rssMegabytes: pid ? rssMegabytes(pid) : 0 };
}

async function run({ generator, params }: Stage, { target }: Subject, load: Load): Promise<Outcome> {
  const { calls, concurrency } = load;
  const order = { target, method: 'tools/call', params, calls, concurrency };
  const answer = await generator.ask<{ outcome?: Outcome; failure?: string }>(order);
  if (!answer.outcome) throw new Error(answer.failure);
  return answer.outcome;
}
