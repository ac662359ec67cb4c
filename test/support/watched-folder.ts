import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { makeTempFolder } from './temp-folder.ts';
import type { TempFolder } from './temp-folder.ts';
import { watchFiles } from './watched-files.ts';
import type { WatchedFiles } from './watched-files.ts';

/** A folder in which files are watched. */
export interface WatchedFolder {
  /** Where a path in it is. */
  readonly at: (path: string) => string;
  readonly write: (path: string, text: string) => Promise<void>;
  readonly link: (target: string, path: string) => Promise<void>;
  /** Watches these, given as they are to be followed, until the test is over. */
  readonly watch: (paths: readonly string[]) => Promise<WatchedFiles>;
}

/** One for each test, with `certs/tls.crt`, `certs/tls.key` and an empty `store` in it. */
export function watchedFolder(): WatchedFolder {
  let root: TempFolder;
  let watching: WatchedFiles | undefined;
  const at = (path: string): string => join(root.path, path);
  const write = (path: string, text: string) => writeFile(at(path), text);
  beforeEach(async () => {
    root = await makeTempFolder();
    await mkdir(at('certs'));
    await mkdir(at('store'));
    await write('certs/tls.crt', 'first');
    await write('certs/tls.key', 'first');
  });
  afterEach(async () => {
    watching?.stop();
    await root.remove();
  });
  return {
    at,
    write,
    link: (target, path) => symlink(target, at(path)),
    watch: async (paths) => (watching = await watchFiles(paths)),
  };
}
