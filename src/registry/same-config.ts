import { equalInConstantTime } from '../base/bytes.ts';
import { Secret } from '../base/secret.ts';
import type { UpstreamConfig } from '../upstream/upstream-config.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { presentedBy, profileWith } from './gateway-profiles.ts';
import type { OpenedGateway } from './open-gateway.ts';
import type { ReadableGateway } from './snapshot.ts';

/**
 * What serves a gateway, where that reaches it as it is to be reached from now on, be it with an identity that stands
 * in; else undefined.
 */
export function servingStill(
  { upstream, profiles: before }: Pick<ReadableGateway, 'upstream' | 'profiles'>,
  { config, profiles }: OpenedGateway,
): Upstream | undefined {
  if (upstream === undefined || isSameConfig(upstream.config, config)) return upstream;
  const standsIn = before && upstream.config.profile && presentedBy(upstream.config.profile, before);
  if (standsIn === undefined || standsIn === 'current' || profiles === undefined) return undefined;
  const profile = profileWith(profiles, standsIn);
  return isSameConfig(upstream.config, { ...config, profile }) ? upstream : undefined;
}

/** Whether an upstream is reached at the same place in the same way, but for who we are and whom we believe. */
export function differsInTlsOnly(a: UpstreamConfig, b: UpstreamConfig): boolean {
  return a.profile !== undefined && isSameConfig(a, { ...b, profile: a.profile });
}

/** Whether two configurations reach an upstream in the same way, so that what serves one can serve the other. */
function isSameConfig(a: UpstreamConfig, b: UpstreamConfig): boolean {
  return (
    a.name === b.name &&
    a.protocolEra === b.protocolEra &&
    a.requestTimeoutMs === b.requestTimeoutMs &&
    a.profile?.fingerprint === b.profile?.fingerprint &&
    a.passthroughHeaders.join() === b.passthroughHeaders.join() &&
    isSameTarget(a.target, b.target)
  );
}

type Target = UpstreamConfig['target'];

function isSameTarget(a: Target, b: Target): boolean {
  if (a.kind === 'http' && b.kind === 'http')
    return (
      a.url.href === b.url.href &&
      a.transport === b.transport &&
      isSame(a.credentials.headers, b.credentials.headers) &&
      isSame(a.credentials.query, b.credentials.query)
    );
  return (
    a.kind === 'stdio' &&
    b.kind === 'stdio' &&
    a.command === b.command &&
    isSame(a.args, b.args) &&
    a.cwd === b.cwd &&
    isSame(a.env, b.env)
  );
}

/** Whether two values are the same, member by member, secrets by what they hold; what is undefined counts as absent. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Secret && b instanceof Secret) return equalInConstantTime(a.reveal(), b.reveal());
  if (!isObject(a) || !isObject(b)) return a === b;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => isSame(a[name], b[name]));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
