import { constants } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GatewayError, Secret, codeOf, newId } from '../../../src/index.ts';
import { makeFolder } from './make-folder.ts';

/** Keys are a few hundred bytes; anything larger is another file. */
const MAX_FILE_BYTES = 64 * 1024;

/**
 * The text of a file that only its owner may use; undefined when there is no such file.
 *
 * @throws GatewayError file_refused when others may use it, or it cannot be read
 */
export async function readPrivateFile(path: string): Promise<Secret | undefined> {
  try {
    // a pipe must not hang the open
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      await refuseShared(path, file);
      return new Secret(await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw refusing(path, error);
  }
}

/**
 * Creates a file for its owner only, whole or not at all; false when something of that name was there already.
 *
 * @throws GatewayError file_refused
 */
export async function createPrivateFile(path: string, text: Secret): Promise<boolean> {
  const draft = `${path}.${newId()}`;
  try {
    await makeFolder(dirname(path));
    await writeNew(draft, text);
    // unlike rename, link never replaces a file
    await link(draft, path);
    await syncDirectory(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw refusing(path, error);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Replaces a file by what `change` makes of its text, atomically. Two processes cannot do so at once: what one of them
 * added must not be lost.
 *
 * @throws GatewayError file_refused, and what `change` throws as one
 */
export async function changePrivateFile(path: string, change: (text: Secret) => Secret): Promise<void> {
  // the draft is also the lock: its name is fixed, and only one process can create it
  const draft = `${path}.new`;
  const file = await lock(path, draft);
  try {
    const held = await readPrivateFile(path);
    if (held === undefined) throw missing(path);
    await writeDurably(file, change(held));
    await rename(draft, path);
    await syncDirectory(path);
  } catch (error) {
    await rm(draft, { force: true });
    throw refusing(path, error);
  } finally {
    await file.close();
  }
}

/** A refusal of a private file that has to be there. */
export function missing(path: string): GatewayError {
  return refused(path, 'is not there', 'start the gateway once: it creates the file');
}

/** A refusal of a private file; `reason` goes on from its path. */
export function refused(path: string, reason: string, hint: string): GatewayError {
  return new GatewayError('file_refused', `${path} ${reason}`, { hint });
}

/** Asked of the open file, so that it cannot be exchanged between the question and the reading. */
async function refuseShared(path: string, file: FileHandle): Promise<void> {
  const { mode, size } = await file.stat();
  if ((mode & constants.S_IFMT) !== constants.S_IFREG)
    throw refused(path, 'is no regular file', 'put the key file there');
  if ((mode & 0o077) !== 0) {
    const met = (mode & 0o777).toString(8).padStart(4, '0');
    throw refused(path, `is open to others than its owner: expected mode 0600, met ${met}`, `chmod 600 ${path}`);
  }
  if (size > MAX_FILE_BYTES)
    throw refused(path, `is no key file: expected at most ${MAX_FILE_BYTES} bytes, met ${size}`, 'name the right file');
}

async function lock(path: string, draft: string): Promise<FileHandle> {
  try {
    return await open(draft, 'wx', 0o600);
  } catch (error) {
    const hint = `wait for the other change of ${path}; if there is none, remove ${draft}`;
    throw refused(draft, `cannot be created (${codeOf(error)})`, hint);
  }
}

async function writeNew(path: string, text: Secret): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await writeDurably(file, text);
  } finally {
    await file.close();
  }
}

async function writeDurably(file: FileHandle, text: Secret): Promise<void> {
  await file.writeFile(text.reveal());
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
