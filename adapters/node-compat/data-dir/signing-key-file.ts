import { randomBytes } from 'node:crypto';
import { Secret } from '../../../src/index.ts';
import type { EventSink } from '../../../src/index.ts';
import { createPrivateFile, missing, readPrivateFile, refused } from '../files/private-file.ts';

const KEY_BYTES = 64;
/** What is shorter was cut off or is another file. */
const MIN_CHARACTERS = 32;

/** A fresh key to sign tokens with, as base64url. */
export function generateSigningKey(): Secret {
  return new Secret(randomBytes(KEY_BYTES).toString('base64url'));
}

/**
 * The key tokens are signed with, from its file; undefined when there is no such file.
 *
 * @throws GatewayError file_refused when others than its owner may read it
 */
export async function readSigningKeyFile(path: string): Promise<Secret | undefined> {
  const text = (await readPrivateFile(path))?.reveal().trim();
  if (text === undefined) return undefined;
  if (text.length < MIN_CHARACTERS) throw refused(path, 'does not hold a signing key', `remove ${path}`);
  return new Secret(text);
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
  const made = generateSigningKey();
  if (await createPrivateFile(path, new Secret(`${made.reveal()}\n`))) {
    events('keys.generated', { what: 'signing', path });
    return made;
  }
  const others = await readSigningKeyFile(path);
  if (others === undefined) throw missing(path);
  return others;
}
