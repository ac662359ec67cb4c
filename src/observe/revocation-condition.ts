import type { Clock } from '../base/clock.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';

/** Where revocation cannot be looked up as it should be, without addresses, which only operators may see. */
export interface RevocationCondition {
  readonly failing: readonly { readonly kind: string; readonly code: ErrorCode; readonly since: string }[];
  /** ISO 8601: when a peer was last let in unchecked; absent when that was not lately. */
  readonly passedAt?: string;
}

/** Follows events. */
export interface RevocationWatch {
  readonly events: EventSink;
  /** Undefined while nothing is wrong. */
  condition(): RevocationCondition | undefined;
  /** How many sources fail, by kind. */
  counts(): ReadonlyMap<string, number>;
}

/** As long as somebody who looks now and then may take to see it. */
const LATELY_MS = 300_000;

/** Remembers what events say of revocation: what is failing, and that somebody passed unchecked lately. */
export function watchRevocation(clock: Clock): RevocationWatch {
  const failing = new Map<string, RevocationCondition['failing'][number]>();
  let passedAtMs = Number.NEGATIVE_INFINITY;
  const events: EventSink = (name, fields) => {
    // most events are of calls, and on their way
    if (!name.startsWith('revocation.')) return;
    if (name === 'revocation.passed') passedAtMs = clock.nowMs();
    if (!('source' in fields)) return;
    if (name === 'revocation.recovered') failing.delete(fields.source);
    else if ('code' in fields && 'kind' in fields)
      failing.set(fields.source, {
        kind: fields.kind,
        code: fields.code,
        since: new Date(clock.nowMs()).toISOString(),
      });
  };
  return {
    events,
    condition() {
      const isLate = clock.nowMs() - passedAtMs < LATELY_MS;
      if (failing.size === 0 && !isLate) return undefined;
      return { failing: [...failing.values()], ...(isLate && { passedAt: new Date(passedAtMs).toISOString() }) };
    },
    counts() {
      const counts = new Map<string, number>();
      for (const { kind } of failing.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      return counts;
    },
  };
}
