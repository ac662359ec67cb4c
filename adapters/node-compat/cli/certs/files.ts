import { link, lstat, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GatewayError, newId } from '../../../../src/index.ts';
import type { Secret } from '../../../../src/index.ts';
import { makeFolder } from '../../files/make-folder.ts';

const PRIVATE_FILE = 0o600;
const PUBLIC_FILE = 0o644;
/** Narrowed by the umask. */
const PUBLIC_DIRECTORY = 0o777;
const PRIVATE_DIRECTORY = 0o700;

/** A file to write: text anyone may read, or a secret only its owner may. */
export interface NewFile {
  readonly name: string;
  readonly content: string | Secret;
}

/** Whether something has this name, whatever it is. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw refused('look at', path, error);
  }
}

/** The files below a folder whose names end like this, in order; none when there is no such folder. */
export async function listFiles(directory: string, ending: string): Promise<readonly string[]> {
  if (!(await exists(directory))) return [];
  try {
    const names = await readdir(directory, { recursive: true });
    return names
      .filter((name) => name.endsWith(ending))
      .sort()
      .map((name) => join(directory, name));
  } catch (error) {
    throw refused('look into', directory, error);
  }
}

/**
 * Writes new files into a folder that only its owner may enter when it has to be made. Each file appears whole, with
 * its final mode, and never in the place of another; when one cannot be written, the others are taken back.
 *
 * @throws GatewayError file_refused.
 */
export async function writeNewFiles(directory: string, files: readonly NewFile[]): Promise<void> {
  const written: string[] = [];
  try {
    await makeFolder(dirname(directory), PUBLIC_DIRECTORY);
    await makeFolder(directory, PRIVATE_DIRECTORY);
    for (const { name, content } of files) {
      const path = join(directory, name);
      if (typeof content === 'string') await writeNewFile(path, content, PUBLIC_FILE);
      else await writeNewFile(path, content.reveal(), PRIVATE_FILE);
      written.push(path);
    }
  } catch (error) {
    await Promise.all(written.map((path) => rm(path, { force: true })));
    throw refused('write all files of', directory, error);
  }
}

async function writeNewFile(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${newId()}.new`;
  try {
    // The draft is private from its first moment; a hard link fails where a rename would replace.
    const handle = await open(draft, 'wx', PRIVATE_FILE);
    try {
      await handle.writeFile(text);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

function refused(verb: string, path: string, error: unknown): GatewayError {
  const target = error instanceof Error && 'dest' in error ? ` (${String(error.dest)})` : '';
  return new GatewayError('file_refused', `cannot ${verb} ${path}: ${errnoOf(error)}${target}`, {
    hint:
      errnoOf(error) === 'EEXIST'
        ? 'move what is there away: nothing is ever overwritten'
        : 'check the folder and its mode',
    details: { path },
  });
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
