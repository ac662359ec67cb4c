import type { Upstream } from '../upstream/upstream.ts';
import type { GatewayProfiles } from './gateway-profiles.ts';
import type { GatewayDraft } from './gateway-record.ts';
import type { LiveGateways } from './live-gateways.ts';
import { openGateway } from './open-gateway.ts';
import type { OpenGatewayOptions } from './open-gateway.ts';
import { differsInTlsOnly, servingStill } from './same-config.ts';
import type { ReadableGateway } from './snapshot.ts';

/** What serves a gateway after a change. */
export interface Successor {
  readonly upstream: Upstream | undefined;
  readonly profiles: GatewayProfiles | undefined;
}

/**
 * The upstream that served a gateway, where a change leaves it reached in the same way; else a new one, not dialled
 * yet. A gateway that is switched off gets a new one too, so that the connections of the old one end; nothing of it is
 * opened, since switching off must work with files that are gone.
 *
 * @param options `unseen` where the new one serves without being dialled first, on what the old one learned
 *
 * @throws GatewayError vault_key_unknown, vault_open_failed, file_refused and every config code
 */
export async function successorOf(
  before: ReadableGateway,
  draft: GatewayDraft,
  live: LiveGateways,
  options: OpenGatewayOptions & { readonly unseen: boolean },
): Promise<Successor> {
  const { upstream, record } = before;
  const isSwitched = record.enabled !== draft.enabled;
  if (isSwitched && !draft.enabled)
    return { upstream: upstream && live.open(upstream.config, upstream.facts), profiles: before.profiles };
  const opened = await openGateway(draft, options);
  const { config, profiles } = opened;
  if (profiles?.refusal) throw profiles.refusal;
  const serving = servingStill(before, opened);
  if (serving && !isSwitched) return { upstream: serving, profiles };
  const isSameServer = upstream !== undefined && differsInTlsOnly(upstream.config, config);
  const facts = serving || (options.unseen && isSameServer) ? upstream?.facts : undefined;
  return { upstream: live.open(config, facts), profiles };
}
