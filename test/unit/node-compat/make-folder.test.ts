import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolder } from '../../../adapters/node-compat/files/make-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a folder and those above it are made, for their owner only', async () => {
  await makeFolder(join(folder, 'a', 'b'));
  for (const path of ['a', 'a/b']) expect((await stat(join(folder, path))).mode & 0o777).toBe(0o700);
  await makeFolder(join(folder, 'a', 'b'));
});

test('in a working directory that was removed it comes to an end', async () => {
  const source = JSON.stringify(join(import.meta.dirname, '../../../adapters/node-compat/files/make-folder.ts'));
  const program = `
    const { makeFolder } = await import(${source});
    (await import('node:fs')).rmSync(process.cwd(), { recursive: true });
    await makeFolder('./data').then(() => console.log('made'), (error) => console.log(error.code));
  `;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: folder,
    timeout: 10_000,
  });
  // whether Node remembers the path of the directory is its own affair
  expect(['made', 'ENOENT']).toContain((await run).stdout.trim());
});
