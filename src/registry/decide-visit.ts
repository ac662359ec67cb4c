import type { UpstreamFacts } from '../upstream/facts.ts';
import type { HealthState } from '../upstream/health.ts';

/** What a visit to a gateway's upstream has to do. */
export type Visit = 'relist' | 'probe' | 'nothing';

/** What decides it. */
export interface VisitInput {
  readonly nowMs: number;
  /** Milliseconds between two visits. */
  readonly intervalMs: number;
  readonly refreshIntervalSeconds: number | undefined;
  readonly facts: UpstreamFacts | undefined;
  readonly health: HealthState;
}

/** Reads the listing, and the eras, of what was never reached or is due, and probes the rest, unless a call proved it fit just now. */
export function decideVisit({ nowMs, intervalMs, refreshIntervalSeconds, facts, health }: VisitInput): Visit {
  if (facts === undefined) return 'relist';
  const listingAgeMs = nowMs - Date.parse(facts.listedAt);
  if (refreshIntervalSeconds !== undefined && listingAgeMs >= refreshIntervalSeconds * 1000) return 'relist';
  if (isOldLegacyVerdict(facts, nowMs)) return 'relist';
  const { status, lastSuccessAt } = health;
  const isFresh = lastSuccessAt !== undefined && nowMs - Date.parse(lastSuccessAt) < intervalMs / 2;
  return status === 'healthy' && isFresh ? 'nothing' : 'probe';
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** A server taken for one of the legacy era alone never fails for it, so only looking again tells whether it still is. */
function isOldLegacyVerdict({ modern, probedAt, listedAt }: UpstreamFacts, nowMs: number): boolean {
  // where no date is kept of an era it was not to be asked for
  const askedAt = probedAt ? probedAt.modern : listedAt;
  return modern === undefined && askedAt !== undefined && nowMs - Date.parse(askedAt) >= DAY_MS;
}
