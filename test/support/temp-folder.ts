import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempFolder {
  readonly path: string;
  /** Everything below it, as one text of bytes. */
  readonly bytes: () => Promise<string>;
  readonly remove: () => Promise<void>;
}

/** A folder of its own for one test. */
export async function makeTempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'postern-test-'));
  return {
    path,
    async bytes() {
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      const contents = await Promise.all(
        files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
      );
      return contents.join('\n');
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
