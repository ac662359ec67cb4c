import { generateVaultKey } from '../../src/vault/vault-keys.ts';
import { openKeyring } from '../../src/vault/keyring.ts';
import type { Keyring } from '../../src/vault/keyring.ts';
import { Vault } from '../../src/vault/vault.ts';
import type { VaultOptions } from '../../src/vault/vault.ts';

/** Fresh random keys of these ids, the first as primary. */
export function mintKeyring(...kids: readonly string[]): Promise<Keyring> {
  return openKeyring(kids.map((kid) => generateVaultKey(kid)));
}

/** A vault with one fresh key, `k1`. */
export async function mintVault(options?: VaultOptions): Promise<Vault> {
  return new Vault(await mintKeyring('k1'), options);
}
