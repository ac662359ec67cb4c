import { utf8 } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import { vaultKeyBytes } from './vault-keys.ts';
import type { VaultKeyText } from './vault-keys.ts';

/** A vault key ready for use; neither half can be exported. */
export interface VaultKey {
  readonly kid: string;
  /** AES-256-GCM. */
  readonly sealing: CryptoKey;
  /** HMAC-SHA-256, derived, for record authentication. */
  readonly mac: CryptoKey;
}

/** The keys at hand: the primary seals, the others (retired, or not yet primary) only open. Immutable. */
export class Keyring {
  readonly primary: VaultKey;
  readonly #keys: ReadonlyMap<string, VaultKey>;

  constructor(primary: VaultKey, others: readonly VaultKey[]) {
    this.primary = primary;
    this.#keys = new Map([primary, ...others].map((key) => [key.kid, key]));
  }

  find(kid: string): VaultKey | undefined {
    return this.#keys.get(kid);
  }

  /** Every key id, the primary first. */
  get kids(): readonly string[] {
    return [...this.#keys.keys()];
  }
}

/**
 * Imports parsed keys once, as keys that cannot be exported; the first becomes the primary.
 *
 * @throws GatewayError vault_key_invalid when there is no key
 */
export async function openKeyring(keys: readonly VaultKeyText[]): Promise<Keyring> {
  const [primary, ...others] = await Promise.all(keys.map(importKey));
  if (primary === undefined) throw new GatewayError('vault_key_invalid', 'expected at least one vault key, met none');
  return new Keyring(primary, others);
}

const MAC_INFO = 'postern record authentication v1';

async function importKey(text: VaultKeyText): Promise<VaultKey> {
  const bytes = vaultKeyBytes(text);
  try {
    const [sealing, source] = await Promise.all([
      crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']),
      crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey']),
    ]);
    // no salt: the source is 32 uniformly random bytes, https://www.rfc-editor.org/rfc/rfc5869#section-3.1
    const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(MAC_INFO) };
    const target = { name: 'HMAC', hash: 'SHA-256', length: 256 };
    const mac = await crypto.subtle.deriveKey(derivation, source, target, false, ['sign', 'verify']);
    return { kid: text.kid, sealing, mac };
  } finally {
    bytes.fill(0);
  }
}
