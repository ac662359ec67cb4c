import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { codeOf, GatewayError } from '../../../src/index.ts';
import type { FileTail, GrowingFile } from '../../../src/index.ts';

const CHUNK_BYTES = 64 * 1024;
/** No line is as long; what has no newline for longer is another file. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
/** To have a disk keep something costs more than to write it, so it is asked once for all that came meanwhile. */
const SYNC_MS = 1_000;

/** How a file of lines is named in a fleet. */
export const growingFileName = (path: string): string => `${hostname()}:${resolve(path)}`;

/** A file of lines, made with mode 0600. */
export function createGrowingFile(path: string): GrowingFile {
  return new LineFile(resolve(path));
}

class LineFile implements GrowingFile {
  readonly name: string;
  readonly #path: string;
  #file: FileHandle | undefined;
  /** As it was left. */
  #size = 0;
  #syncing: NodeJS.Timeout | undefined;
  #syncFailure: unknown;

  constructor(path: string) {
    this.name = growingFileName(path);
    this.#path = path;
  }

  async open(): Promise<FileTail> {
    await this.close();
    try {
      // written to at its end whoever else does, and never through a link somebody else put there
      const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants;
      const file = await open(this.#path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
      this.#file = file;
      const { size, mode } = await file.stat();
      if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unavailable(this.#path, 'it is no regular file');
      this.#size = size;
      return await tailOf(file, size);
    } catch (error) {
      await this.close();
      throw error instanceof GatewayError ? error : unavailable(this.#path, codeOf(error));
    }
  }

  async hasMoved(): Promise<boolean> {
    try {
      const [here, there] = [await this.#file?.stat(), await stat(this.#path)];
      return here?.ino !== there.ino || here.dev !== there.dev;
    } catch {
      return true;
    }
  }

  async append(lines: string): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw unavailable(this.#path, 'it is not open');
    try {
      if (this.#syncFailure !== undefined) throw this.#syncFailure;
      if ((await file.stat()).size !== this.#size) throw unavailable(this.#path, 'somebody else wrote to it or cut it');
      this.#size += await this.#write(file, Buffer.from(lines));
    } catch (error) {
      throw error instanceof GatewayError ? error : unavailable(this.#path, codeOf(error));
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (this.#syncing !== undefined) await file?.datasync().catch(() => undefined);
    clearTimeout(this.#syncing);
    this.#syncing = undefined;
    this.#syncFailure = undefined;
    await file?.close().catch(() => undefined);
  }

  #syncSoon(file: FileHandle): void {
    this.#syncing ??= setTimeout(() => {
      this.#syncing = undefined;
      file.datasync().catch((error: unknown) => (this.#syncFailure = error));
    }, SYNC_MS).unref();
  }

  async #write(file: FileHandle, bytes: Buffer): Promise<number> {
    try {
      let written = 0;
      while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
      this.#syncSoon(file);
      return written;
    } catch (error) {
      // a disk that is full takes the beginning
      await file.truncate(this.#size).catch(() => undefined);
      throw error;
    }
  }
}

/** Read from the end, since files of months may be large. */
async function tailOf(file: FileHandle, size: number): Promise<FileTail> {
  let tail = Buffer.alloc(0);
  let newlines = 0;
  for (let from = size; from > 0 && newlines < 2;) {
    const length = Math.min(CHUNK_BYTES, from);
    from -= length;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
    tail = Buffer.concat([buffer.subarray(0, bytesRead), tail]);
    newlines = tail.filter((byte) => byte === NEWLINE).length;
    if (newlines < 2 && tail.length > MAX_LINE_BYTES)
      throw new GatewayError('audit_unavailable', 'the file for records of audit holds something else', {
        hint: 'name another file in POSTERN_AUDIT',
      });
  }
  const end = tail.lastIndexOf(NEWLINE);
  const torn = tail.subarray(end + 1);
  const before = tail.subarray(0, Math.max(end, 0)).lastIndexOf(NEWLINE);
  return {
    lastLine: end < 0 ? undefined : tail.subarray(before + 1, end).toString(),
    torn: torn.length === 0 ? undefined : { bytes: torn.length, sha256: sha256(torn) },
  };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function unavailable(path: string, why: string): GatewayError {
  return new GatewayError('audit_unavailable', `records of audit cannot be kept in ${path}: ${why}`, {
    hint: 'look at the disk and at who owns the file; the next try is made by itself',
  });
}
