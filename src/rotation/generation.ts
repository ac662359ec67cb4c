/**
 * rotation: what is in force is numbered, and every instance comes to it.
 *
 * Owns the generation, how an instance notices and applies one, and what it acknowledges. Must not know what is
 * rotated: the parts that read anew are handed in as participants.
 */

/**
 * Why a generation was written: a record was changed, somebody asked (`request`, `signal`), a file reads otherwise, an
 * identity was promoted, retired or rolled back.
 */
export type RotationReason = 'change' | 'request' | 'signal' | 'file' | 'promote' | 'retire' | 'rollback';

/** What a generation is about: keys of records (`gateway:<id>`, `server:<id>`), or everything that can be read anew. */
export type RotationScope = 'all' | readonly string[];

/** One state of the whole fleet; writing the next one is the rotation. */
export interface Generation {
  /** From 1, for people. */
  readonly number: number;
  /** Decides whether two are the same. */
  readonly id: string;
  /** The id of the one before, null for none; numbers come back where a store is restored or fails over, ids do not. */
  readonly after: string | null;
  /** ISO 8601. */
  readonly at: string;
  /** Who asked for it. */
  readonly by: string;
  readonly reason: RotationReason;
  readonly scope: RotationScope;
  /** What was cut last, by key of the record or `all`: the number of the generation that said so. */
  readonly cuts: Readonly<Record<string, number>>;
}

/** What the next generation says of itself. */
export interface RotationNote {
  readonly by: string;
  readonly reason: RotationReason;
  readonly scope: RotationScope;
  /** Whether connections of what is in scope are to be ended, also where nothing changed. */
  readonly cut?: boolean;
}

/** Cuts are told to instances that missed the generation; one that missed this many is far behind. */
const REMEMBERED_CUTS = 256;

/** The generation that follows `before`, undefined for none. */
export function nextGeneration(before: Generation | undefined, note: RotationNote, id: string, at: string): Generation {
  const { by, reason, scope, cut = false } = note;
  const number = (before?.number ?? 0) + 1;
  const cutNow = cut ? (scope === 'all' ? ['all'] : scope) : [];
  const cuts = { ...before?.cuts, ...Object.fromEntries(cutNow.map((key) => [key, number])) };
  const latest = Object.entries(cuts).toSorted(([, one], [, other]) => one - other);
  const after = before?.id ?? null;
  return { number, id, after, at, by, reason, scope, cuts: Object.fromEntries(latest.slice(-REMEMBERED_CUTS)) };
}

/** What of `after` an instance has to cut that is at `applied`: keys of records, or everything. */
export function cutsSince(applied: number, after: Generation): RotationScope {
  const due = Object.entries(after.cuts).filter(([, number]) => number > applied);
  return due.some(([key]) => key === 'all') ? 'all' : due.map(([key]) => key);
}

/** Whether a record's key is in a scope. */
export function isInScope(key: string, scope: RotationScope): boolean {
  return scope === 'all' || scope.includes(key);
}
