import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';

/**
 * Creates a folder, and those above it, for their owner only. The path is made absolute first: below a working
 * directory that was removed, a recursive mkdir of ./name keeps a core busy for ever (Node 26.10).
 * test/unit/node-compat/make-folder.test.ts holds this.
 */
export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  await mkdir(resolve(path), { recursive: true, mode });
}
