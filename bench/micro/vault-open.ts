import { deepEqual } from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { bench, do_not_optimize as keep, summary } from 'mitata';
import { Secret } from '../../src/base/secret.ts';
import { openKeyring } from '../../src/vault/keyring.ts';
import { generateVaultKey } from '../../src/vault/vault-keys.ts';
import { Vault } from '../../src/vault/vault.ts';

const CONTEXT = 'gateway:bench:client_key';
// about what a private key in PEM is long
const PLAINTEXT = 'k'.repeat(1_700);

/** Opening a sealed private key, beside AES-256-GCM alone. */
export async function benchVaultOpen(): Promise<void> {
  const text = generateVaultKey('bench');
  const vault = new Vault(await openKeyring([text]));
  const sealed = await vault.seal(new Secret(PLAINTEXT), CONTEXT);
  const key = Buffer.from(text.key.reveal(), 'base64');
  const [header = '', , iv = '', ciphertext = '', tag = ''] = sealed.split('.');

  const ours = async (): Promise<string> => (await vault.open(sealed, CONTEXT)).reveal();
  const bare = (): string => {
    const cipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'));
    cipher.setAAD(Buffer.from(header));
    cipher.setAuthTag(Buffer.from(tag, 'base64url'));
    return cipher.update(ciphertext, 'base64url', 'utf8') + cipher.final('utf8');
  };
  deepEqual(await ours(), PLAINTEXT);
  deepEqual(bare(), PLAINTEXT);

  summary(() => {
    bench('vault: AES-256-GCM alone', () => keep(bare()));
    bench('vault: open a sealed key', async () => keep(await ours()));
  });
}
