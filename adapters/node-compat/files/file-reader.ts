import { constants } from 'node:fs';
import { access, open, realpath } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { GatewayError } from '../../../src/index.ts';
import type { FileReader } from '../../../src/index.ts';

/** A public root store is a quarter of it. */
const MAX_FILE_BYTES = 1024 * 1024;

/** A writer of a megabyte is done after a few. */
const READ_ATTEMPTS = 10;

/**
 * Reads files below `folders` only. The real path decides, at every read: a symlink that leads out is refused, one
 * that stays inside (Kubernetes swaps `..data`) is followed.
 */
export function createFileReader(folders: readonly string[]): FileReader {
  return async (path) => {
    if (folders.length === 0)
      throw refused(
        path,
        'no folder for certificate files is configured',
        'set POSTERN_CERT_DIRS, or send the PEM itself',
      );
    const real = await realpath(path).catch((error: unknown) => unreadable(path, error));
    const roots = await Promise.all(folders.map((folder) => realpath(folder).catch(() => undefined)));
    if (!roots.some((root) => root !== undefined && isBelow(root, real)))
      throw refused(path, 'it is outside the folders for certificate files', 'move it below one of POSTERN_CERT_DIRS');
    return readTextFile(real, path);
  };
}

/**
 * The text of a regular file of at most 1 MiB, or `maxBytes`; for files the operator named at start, wherever they are.
 * What is returned stood in the file at one moment, as far as its size and time of change tell: a file that is written to
 * meanwhile is read again. A writer that empties it first and pauses is still caught half-way.
 *
 * @param shown the path messages name
 * @throws GatewayError file_refused
 */
export async function readTextFile(path: string, shown = path, maxBytes = MAX_FILE_BYTES): Promise<string> {
  // a pipe or device must not hang the open
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) =>
    unreadable(shown, error),
  );
  try {
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const before = await file.stat({ bigint: true });
      if (!before.isFile()) throw refused(shown, 'it is no regular file');
      if (before.size > maxBytes) throw refused(shown, `it is larger than ${maxBytes} bytes`);
      const buffer = Buffer.alloc(Number(before.size));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      const after = await file.stat({ bigint: true });
      if (bytesRead === buffer.length && after.size === before.size && after.mtimeNs === before.mtimeNs)
        return buffer.toString('utf8');
    }
    throw refused(shown, 'it changes while it is read', 'write another file and rename it over this one');
  } finally {
    await file.close();
  }
}

/** Whether something can be reached by this path. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isBelow(root: string, real: string): boolean {
  const way = relative(root, real);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}

function unreadable(path: string, error: unknown): never {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  throw refused(path, code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`);
}

const refused = (path: string, reason: string, hint = 'check the path and its mode'): GatewayError =>
  new GatewayError('file_refused', `${path} is refused: ${reason}`, { hint });
