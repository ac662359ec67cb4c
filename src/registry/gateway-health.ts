import type { HealthReason, HealthState } from '../upstream/health.ts';
import { presentedBy } from './gateway-profiles.ts';
import type { RegisteredGateway } from './snapshot.ts';

/** How a gateway fares, for everyone who shows it. */
export interface GatewayHealth extends Omit<HealthState, 'reason'> {
  /** `at` is absent where what is stored was refused, and where another identity stands in. */
  readonly reason?: Omit<HealthReason, 'at'> & { readonly at?: string };
}

const UNKNOWN: HealthState = { status: 'unknown', consecutiveFailures: 0, breaker: 'closed' };

/** A gateway's health is its upstream's, unless what is stored of it was refused: that fails, also while it serves. */
export function healthOf(gateway: RegisteredGateway): GatewayHealth {
  const { upstream, refusal } = gateway;
  const health = upstream?.health ?? UNKNOWN;
  if (refusal === undefined) return { ...health, ...standingIn(gateway) };
  const { code, message, hint } = refusal;
  return { ...health, status: 'failing', reason: { code, message, ...(hint !== undefined && { hint }) } };
}

/** While another identity stands in, the gateway is fit, and yet there is something to be done. */
function standingIn({ upstream, profiles }: RegisteredGateway): Pick<GatewayHealth, 'reason'> {
  const profile = upstream?.config.profile;
  if (upstream?.health.reason || profile === undefined || profiles === undefined) return {};
  const presented = presentedBy(profile, profiles);
  if (presented === 'current') return {};
  const message = `the server refuses the current identity of this gateway; the ${presented} one stands in`;
  const hint = presented === 'next' ? 'promote it' : 'roll back, or have the server accept the current one';
  return { reason: { code: 'tls_client_certificate_refused', message, hint } };
}
