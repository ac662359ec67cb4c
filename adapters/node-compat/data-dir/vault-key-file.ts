import { Secret, formatVaultKeys, generateVaultKey, parseVaultKeys } from '../../../src/index.ts';
import type { EventSink, VaultKeyText } from '../../../src/index.ts';
import { changePrivateFile, createPrivateFile, missing, readPrivateFile } from '../files/private-file.ts';

/**
 * The keys in a vault key file: one line, as in POSTERN_VAULT_KEYS.
 *
 * @throws GatewayError file_refused when it is not there or others than its owner may use it, vault_key_invalid
 */
export async function readVaultKeyFile(path: string): Promise<readonly VaultKeyText[]> {
  const text = await readPrivateFile(path);
  if (text === undefined) throw missing(path);
  return parseVaultKeys(text);
}

/**
 * The keys in a vault key file, which is created with one fresh key (and `keys.generated` reported) when it is not
 * there; of several processes that start at once, one creates it.
 *
 * @throws GatewayError file_refused, vault_key_invalid
 */
export async function openVaultKeyFile(path: string, events: EventSink): Promise<readonly VaultKeyText[]> {
  const text = await readPrivateFile(path);
  if (text !== undefined) return parseVaultKeys(text);
  const keys = [generateVaultKey()];
  if (!(await createPrivateFile(path, lineOf(keys)))) return readVaultKeyFile(path);
  events('keys.generated', { what: 'vault', path });
  return keys;
}

/**
 * Replaces the keys by what `change` makes of them, atomically; of two processes that do so at once, one is refused: a
 * key that the other added, and sealed with, must not be lost.
 *
 * @throws GatewayError file_refused, vault_key_invalid
 */
export async function changeVaultKeyFile(
  path: string,
  change: (keys: readonly VaultKeyText[]) => readonly VaultKeyText[],
): Promise<readonly VaultKeyText[]> {
  let changed: readonly VaultKeyText[] = [];
  await changePrivateFile(path, (text) => {
    changed = change(parseVaultKeys(text));
    return lineOf(changed);
  });
  return changed;
}

const lineOf = (keys: readonly VaultKeyText[]): Secret => new Secret(`${formatVaultKeys(keys).reveal()}\n`);
