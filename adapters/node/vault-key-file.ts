import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  GatewayError,
  Secret,
  codeOf,
  formatVaultKeys,
  generateVaultKey,
  newId,
  parseVaultKeys,
} from '../../src/index.ts';
import type { EventSink, VaultKeyText } from '../../src/index.ts';

/** A line of keys is a few hundred bytes; anything larger is another file. */
const MAX_FILE_BYTES = 64 * 1024;

/**
 * The keys in a vault key file: one line, as in POSTERN_VAULT_KEYS. Undefined when there is no such file.
 *
 * @throws GatewayError file_refused when others than its owner may use it, vault_key_invalid
 */
export async function readVaultKeyFile(path: string): Promise<readonly VaultKeyText[] | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      return await readKeys(path, file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw refusing(path, error);
  }
}

/**
 * The keys in a vault key file, which is created with one fresh key (and `keys.generated` reported) when it is not
 * there; of several processes that start at once, one creates it.
 *
 * @throws GatewayError file_refused, vault_key_invalid
 */
export async function openVaultKeyFile(path: string, events: EventSink): Promise<readonly VaultKeyText[]> {
  const existing = await readVaultKeyFile(path);
  if (existing !== undefined) return existing;
  const keys = [generateVaultKey()];
  if (!(await create(path, keys))) return requireKeys(path);
  events('keys.generated', { what: 'vault', path });
  return keys;
}

/**
 * Replaces the keys by what `change` makes of them, atomically. Two processes cannot do so at once: a key that one of
 * them added, and sealed with, must not be lost.
 *
 * @throws GatewayError file_refused, vault_key_invalid
 */
export async function changeVaultKeyFile(
  path: string,
  change: (keys: readonly VaultKeyText[]) => readonly VaultKeyText[],
): Promise<readonly VaultKeyText[]> {
  // the draft is also the lock: its name is fixed, and only one process can create it
  const draft = `${path}.new`;
  const file = await openNew(draft, `wait for the other change of ${path}; if there is none, remove ${draft}`);
  try {
    const changed = change(await requireKeys(path));
    await writeDurably(file, changed);
    await rename(draft, path);
    await syncDirectory(path);
    return changed;
  } catch (error) {
    await rm(draft, { force: true });
    throw refusing(path, error);
  } finally {
    await file.close();
  }
}

/** False when the file was there already. It appears whole or not at all. */
async function create(path: string, keys: readonly VaultKeyText[]): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${newId()}`;
  const file = await openNew(draft, 'check the data directory');
  try {
    await writeDurably(file, keys);
    // unlike rename, link never replaces a file
    await link(draft, path);
    await syncDirectory(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw refusing(path, error);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

async function openNew(path: string, hint: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    throw refused(path, `cannot be created (${codeOf(error)})`, hint);
  }
}

async function requireKeys(path: string): Promise<readonly VaultKeyText[]> {
  const keys = await readVaultKeyFile(path);
  if (keys === undefined) throw refused(path, 'is not there', 'start the gateway once: it creates the file');
  return keys;
}

async function readKeys(path: string, file: FileHandle): Promise<readonly VaultKeyText[]> {
  // asked of the open file, so that it cannot be exchanged between the question and the reading
  const { mode, size } = await file.stat();
  if ((mode & 0o077) !== 0) {
    const met = (mode & 0o777).toString(8).padStart(4, '0');
    throw refused(path, `is open to others than its owner: expected mode 0600, met ${met}`, `chmod 600 ${path}`);
  }
  if (size > MAX_FILE_BYTES) throw refused(path, 'is too large to hold vault keys', 'name the right file');
  return parseVaultKeys(new Secret(await file.readFile('utf8')));
}

async function writeDurably(file: FileHandle, keys: readonly VaultKeyText[]): Promise<void> {
  await file.writeFile(`${formatVaultKeys(keys).reveal()}\n`);
  await file.sync();
}

/** Makes a new name of a file outlive a power loss. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const refusing = (path: string, error: unknown): GatewayError =>
  error instanceof GatewayError
    ? error
    : refused(path, `cannot be used (${codeOf(error)})`, 'check its owner and mode');

const refused = (path: string, reason: string, hint: string): GatewayError =>
  new GatewayError('file_refused', `${path} ${reason}`, { hint });
