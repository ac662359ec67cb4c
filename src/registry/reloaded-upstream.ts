import { toGatewayError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import { grantUpkeep } from '../policy/grant.ts';
import type { RecordStore } from '../store/records.ts';
import type { UpstreamFacts } from '../upstream/facts.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { GatewayRecord } from './gateway-record.ts';
import { believingAs } from './gateway-profiles.ts';
import type { LiveGateways } from './live-gateways.ts';
import type { OpenedGateway } from './open-gateway.ts';
import { isRetirement } from './promotion.ts';
import { differsInTlsOnly, servingStill } from './same-config.ts';
import type { RegisteredGateway } from './snapshot.ts';

/** What we say of a server we believe no more. That it fails us is no reason to go on believing it. */
const WITHDRAWN: ReadonlySet<ErrorCode> = new Set(['tls_unknown_ca', 'tls_server_revoked', 'tls_pin_mismatch']);

/**
 * What serves a gateway as it was read anew: what serves it already, where that is reached in the same way; else a new
 * one that the server has let in. A server that is not to be believed any more is not asked.
 *
 * @throws GatewayError why the server does not answer as it is reached now; store_unavailable, shutting_down
 */
export async function reloadedUpstream(
  held: RegisteredGateway | undefined,
  record: GatewayRecord,
  opened: OpenedGateway,
  live: LiveGateways,
  records: RecordStore,
): Promise<Upstream> {
  if (held?.upstream === undefined)
    return live.open(opened.config, (await records.get<UpstreamFacts>('listing', record.id))?.body);
  const serving = servingStill(held, opened);
  if (serving) return serving;
  const isSameServer = differsInTlsOnly(held.upstream.config, opened.config);
  // the same server still offers what it did, so being let in is all there is to find out
  const facts = isSameServer ? held.upstream.facts : undefined;
  const upstream = live.open(opened.config, facts);
  if (!record.enabled || (held.record && isRetirement(held.record, record))) return upstream;
  return live.discardedOnFailure(upstream, async () => {
    try {
      if (facts) await live.tryOut(grantUpkeep('rotation'), upstream);
      else await connect(upstream, record.id, live, records);
      await live.warm(upstream, held.upstream);
    } catch (error) {
      if (!isSameServer || !WITHDRAWN.has(toGatewayError(error).code)) throw error;
    }
    return upstream;
  });
}

/**
 * What served a gateway, where its server did not let us try what it was to be reached with (`tried`): as it was, but
 * held to whom the gateway believes now. Else a server that was withdrawn would only have to keep silent.
 */
export function lastGood(
  held: RegisteredGateway | undefined,
  tried: OpenedGateway | undefined,
  live: LiveGateways,
): Pick<RegisteredGateway, 'upstream' | 'profiles'> {
  const { upstream, profiles } = held ?? { upstream: undefined, profiles: undefined };
  const [before, after] = [upstream?.config.profile, tried?.config.profile];
  if (!upstream || !profiles || !tried || !before || !after || !differsInTlsOnly(upstream.config, tried.config))
    return { upstream, profiles };
  const profile = believingAs(after, before);
  if (profile.fingerprint === before.fingerprint) return { upstream, profiles };
  const config = { ...upstream.config, profile };
  return { upstream: live.open(config, upstream.facts), profiles: { ...profiles, main: profile } };
}

async function connect(upstream: Upstream, id: string, live: LiveGateways, records: RecordStore): Promise<void> {
  const body = await live.connect(grantUpkeep('reload'), upstream);
  await records.write([{ kind: 'listing', id, body }]);
}
