import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Vault } from '../vault/vault.ts';
import { materialName } from './gateway-profiles.ts';
import type { GatewayProfiles } from './gateway-profiles.ts';
import type { GatewayDraft, GatewayTls } from './gateway-record.ts';
import { openTlsSides } from './gateway-secrets.ts';
import { isSame } from './same-config.ts';
import type { ReadableGateway } from './snapshot.ts';

/** A draft that remembers what its TLS side was before, one step back, where the change is one of the TLS side. */
export async function rememberingTls(
  draft: GatewayDraft,
  before: ReadableGateway | undefined,
  profiles: GatewayProfiles | undefined,
  vault: Vault,
): Promise<GatewayDraft> {
  const material = materialName(profiles?.main);
  if (draft.url === undefined || before?.record.url === undefined) return { ...draft, previous: undefined, material };
  if (draft.tls === before.record.tls) return draft;
  const was = await openedTls(before.record, vault);
  const is = await openedTls(draft, vault);
  if (was && is && isSame(was, is)) return draft;
  const former = materialName(before.profiles?.main) ?? before.record.material;
  return { ...draft, previous: was && { tls: was, material: former }, material };
}

/** Undefined where its secrets cannot be opened: they may be given anew because of that. */
async function openedTls(config: GatewayDraft, vault: Vault): Promise<GatewayTls<Secret> | undefined> {
  try {
    return (await openTlsSides({ ...config, previous: undefined }, vault)).tls;
  } catch (error) {
    if (error instanceof GatewayError && error.facts.stage === 'vault') return undefined;
    throw error;
  }
}
