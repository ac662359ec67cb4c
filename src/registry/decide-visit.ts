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

/** Reads the listing of what was never reached or is due, and probes the rest, unless a call proved it fit just now. */
export function decideVisit({ nowMs, intervalMs, refreshIntervalSeconds, facts, health }: VisitInput): Visit {
  if (facts === undefined) return 'relist';
  const listingAgeMs = nowMs - Date.parse(facts.listedAt);
  if (refreshIntervalSeconds !== undefined && listingAgeMs >= refreshIntervalSeconds * 1000) return 'relist';
  const { status, lastSuccessAt } = health;
  const isFresh = lastSuccessAt !== undefined && nowMs - Date.parse(lastSuccessAt) < intervalMs / 2;
  return status === 'healthy' && isFresh ? 'nothing' : 'probe';
}
