import type { TlsProfile } from '../tls/profile.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { GatewayDraft } from './gateway-record.ts';
import type { LiveGateways } from './live-gateways.ts';
import { openGateway } from './open-gateway.ts';
import type { OpenGatewayOptions } from './open-gateway.ts';
import { isSameConfig } from './same-config.ts';
import type { ReadableGateway } from './snapshot.ts';

/** What serves a gateway after a change. */
export interface Successor {
  readonly upstream: Upstream | undefined;
  readonly nextProfile: TlsProfile | undefined;
}

/**
 * The upstream that served a gateway, where a change leaves it reached in the same way; else a new one, not dialled
 * yet. A gateway that is switched off gets a new one too, so that the connections of the old one end; nothing of it is
 * opened, since switching off must work with files that are gone.
 *
 * @throws GatewayError vault_key_unknown, vault_open_failed, file_refused and every config code
 */
export async function successorOf(
  { upstream, record, nextProfile: next }: ReadableGateway,
  draft: GatewayDraft,
  live: LiveGateways,
  options: OpenGatewayOptions,
): Promise<Successor> {
  const isSwitched = record.enabled !== draft.enabled;
  if (isSwitched && !draft.enabled)
    return { upstream: upstream && live.open(upstream.config, upstream.facts), nextProfile: next };
  const { config, nextProfile } = await openGateway(draft, options);
  const isSame = upstream !== undefined && isSameConfig(upstream.config, config);
  if (isSame && !isSwitched) return { upstream, nextProfile };
  return { upstream: live.open(config, isSame ? upstream.facts : undefined), nextProfile };
}
