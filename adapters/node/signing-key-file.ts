import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GatewayError, Secret, newId } from '../../src/index.ts';
import type { EventSink } from '../../src/index.ts';

const KEY_BYTES = 64;
/** What is shorter was cut off or is another file. */
const MIN_CHARACTERS = 32;

/**
 * The key tokens are signed with, from its file; undefined when there is no such file.
 *
 * @throws GatewayError file_refused when others than its owner may read it
 */
export async function readSigningKeyFile(path: string): Promise<Secret | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode } = await file.stat();
      if ((mode & 0o077) !== 0) throw refused(path, 'is open to others than its owner', `chmod 600 ${path}`);
      const text = (await file.readFile('utf8')).trim();
      if (text.length < MIN_CHARACTERS) throw refused(path, 'does not hold a signing key', `remove ${path}`);
      return new Secret(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error instanceof GatewayError ? error : unusable(path, error);
  }
}

/**
 * The signing key, which is created when there is none (and `keys.generated` reported); of several processes that
 * start at once, one creates it.
 *
 * @throws GatewayError file_refused
 */
export async function openSigningKeyFile(path: string, events: EventSink): Promise<Secret> {
  const existing = await readSigningKeyFile(path);
  if (existing !== undefined) return existing;
  if (await create(path)) events('keys.generated', { what: 'signing', path });
  const key = await readSigningKeyFile(path);
  if (key === undefined) throw refused(path, 'was removed while it was read', 'start again');
  return key;
}

/** False when the file was there already. It appears whole or not at all: link, unlike rename, replaces nothing. */
async function create(path: string): Promise<boolean> {
  const draft = `${path}.${newId()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(KEY_BYTES).toString('base64url')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unusable(path, error);
  } finally {
    await rm(draft, { force: true });
  }
}

const unusable = (path: string, error: unknown): GatewayError =>
  refused(path, `cannot be used (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, 'check its owner and mode');

const refused = (path: string, reason: string, hint: string): GatewayError =>
  new GatewayError('file_refused', `${path} ${reason}`, { hint });
