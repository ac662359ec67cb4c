import type { HealthReason, HealthState } from '../upstream/health.ts';
import type { RegisteredGateway } from './snapshot.ts';

/** How a gateway fares, for everyone who shows it. */
export interface GatewayHealth extends Omit<HealthState, 'reason'> {
  /** `at` is absent where what is stored was refused. */
  readonly reason?: Omit<HealthReason, 'at'> & { readonly at?: string };
}

const UNKNOWN: HealthState = { status: 'unknown', consecutiveFailures: 0, breaker: 'closed' };

/** A gateway's health is its upstream's, unless what is stored of it was refused: that fails, also while it serves. */
export function healthOf({ upstream, refusal }: RegisteredGateway): GatewayHealth {
  const health = upstream?.health ?? UNKNOWN;
  if (refusal === undefined) return health;
  const { code, message, hint } = refusal;
  return { ...health, status: 'failing', reason: { code, message, ...(hint !== undefined && { hint }) } };
}
