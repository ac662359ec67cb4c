import type { Generation } from './generation.ts';
import type { InstanceState } from './instances.ts';
import type { RotationProblem } from './participant.ts';
import type { RotationStatus } from './rotation.ts';

/** How an instance stands to the newest generation; `lapsed` is one that has said nothing for longer than its lease. */
export type InstanceCondition = 'current' | 'behind' | 'failed' | 'lapsed';

type ShownGeneration = Omit<Generation, 'after' | 'cuts'>;

/** The fleet as operators see it. */
export interface FleetView {
  /** The newest one; null before the first. */
  readonly generation: ShownGeneration | null;
  /** Whether every live instance serves it. */
  readonly converged: boolean;
  readonly instances: readonly InstanceView[];
  /** Since when the instance that answers cannot read the store, ISO 8601; then the others are not known. */
  readonly storeLostAt: string | null;
}

/** One instance of the fleet. */
export interface InstanceView {
  readonly id: string;
  readonly name: string;
  readonly state: InstanceCondition;
  /** The generation in force there, and since when (ISO 8601). */
  readonly generation: number;
  readonly at: string;
  /** What is not in force there as it should be, also of earlier generations. */
  readonly problems: readonly Pick<RotationProblem, 'name' | 'code' | 'message'>[];
  readonly vaultKeys: readonly string[];
}

/** How far the fleet is on its way to the newest generation this instance knows. */
export function fleetView(
  { generation, storeLostAtMs }: RotationStatus,
  instances: readonly InstanceState[],
): FleetView {
  const newest = generation?.number ?? 0;
  const views = instances.map((instance) => instanceView(instance, newest));
  const live = views.filter(({ state }) => state !== 'lapsed');
  return {
    generation: generation ? shown(generation) : null,
    converged: live.length > 0 && live.every(({ state }) => state === 'current'),
    instances: views,
    storeLostAt: storeLostAtMs === undefined ? null : new Date(storeLostAtMs).toISOString(),
  };
}

function instanceView({ id, name, generation, at, problems, vaultKeys, seen, alive }: InstanceState, newest: number) {
  const isWaiting = seen < newest || problems.some(({ pending }) => pending);
  const state = !alive ? 'lapsed' : generation >= newest ? 'current' : isWaiting ? 'behind' : 'failed';
  const named = problems.map((problem) => ({ name: problem.name, code: problem.code, message: problem.message }));
  return { id, name, state, generation, at, problems: named, vaultKeys } satisfies InstanceView;
}

function shown({ number, id, at, by, reason, scope }: Generation): ShownGeneration {
  return { number, id, at, by, reason, scope };
}
