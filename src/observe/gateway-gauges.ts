import { PRODUCT } from '../base/product.ts';
import type { Certificate } from '../pki/certificate.ts';
import { notAfterSeconds } from '../pki/expiry.ts';
import type { GatewayProfiles } from '../registry/gateway-profiles.ts';
import type { GatewayEntry, RegistrySnapshot } from '../registry/snapshot.ts';
import type { BreakerState } from '../upstream/breaker.ts';
import type { Metrics } from './metrics.ts';
import type { LabelValues } from './metric-registry.ts';

type Series = readonly [LabelValues, number];

const BREAKER_STATES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** Gauges that are read off the registry's snapshot when somebody looks. */
export function watchRegistry(
  metrics: Metrics,
  snapshot: () => RegistrySnapshot,
  draining: () => ReadonlyMap<string, number>,
): void {
  const each =
    (read: (entry: GatewayEntry) => Iterable<Series>): (() => Series[]) =>
    () =>
      snapshot()
        .entries.filter(({ enabled }) => enabled)
        .flatMap((entry) => [...read(entry)]);

  metrics.gauge('postern_up', () => [[[PRODUCT.version], 1]]);
  metrics.gauge('postern_gateways', () => {
    const { entries } = snapshot();
    const active = entries.filter(({ enabled }) => enabled).length;
    return [
      [['active'], active],
      [['inactive'], entries.length - active],
    ];
  });
  metrics.gauge('postern_draining', () => [...draining()].map(([slug, count]) => [[slug], count] as const));
  metrics.gauge(
    'postern_upstream_up',
    each(({ slug, upstream: { health } }) =>
      health.status === 'unknown' ? [] : [[[slug], health.status === 'healthy' ? 1 : 0]],
    ),
  );
  metrics.gauge(
    'postern_breaker_state',
    each(({ slug, upstream: { health } }) => [[[slug], BREAKER_STATES[health.breaker]]]),
  );
  metrics.gauge(
    'postern_upstream_insecure_tls',
    each(({ slug, upstream: { config } }) => (config.profile ? [[[slug], config.insecureTls ? 1 : 0]] : [])),
  );
  metrics.gauge(
    'postern_certificate_not_after_seconds',
    each(({ slug, profiles }) => (profiles ? expiries(slug, profiles) : [])),
  );
}

/** The first certificate to expire in each role decides. */
function* expiries(slug: string, profiles: GatewayProfiles): Iterable<Series> {
  for (const generation of ['current', 'next', 'retiring'] as const) {
    const { identity, trust } = profiles[generation] ?? {};
    // of an identity the platform holds no certificate is seen
    if (identity && identity.chain.length > 0) yield [['client', slug, generation], earliest(identity.chain)];
    if (trust && trust.mode !== 'system') yield [['ca', slug, generation], earliest(trust.anchors)];
  }
}

function earliest(certificates: readonly Certificate[]): number {
  return Math.min(...certificates.map(({ facts }) => notAfterSeconds(facts)));
}
