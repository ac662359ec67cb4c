import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTempFolder } from '../../support/temp-folder.ts';
import type { TempFolder } from '../../support/temp-folder.ts';

const PROGRAM = resolve(import.meta.dirname, '../../support/watching-process.ts');

let root: TempFolder;
beforeEach(async () => {
  root = await makeTempFolder();
  await chmod(root.path, 0o755);
  await mkdir(at('certs/deep'), { recursive: true });
  await writeFile(at('certs/deep/tls.crt'), 'first');
});
afterEach(() => root.remove());

const at = (path: string): string => join(root.path, path);

/** What a process that watches the file reports until it ends by itself, of 100 open files at most. */
async function reportedBy(condition: string): Promise<unknown> {
  const command = [
    '-c',
    'ulimit -n 100; exec "$0" "$@"',
    process.execPath,
    PROGRAM,
    at('certs/deep/tls.crt'),
    condition,
  ];
  const { stdout } = await promisify(execFile)('/bin/sh', command);
  return JSON.parse(stdout);
}

test('watching keeps no process alive', async () => {
  expect(await reportedBy('free')).toEqual([]);
});

test('a limit of the system is reported once', async () => {
  expect(await reportedBy('no more files')).toEqual([{ name: 'files.unwatched', fields: { code: 'EMFILE' } }]);
});

test('a folder that cannot be watched is reported once', async () => {
  await chmod(at('certs/deep'), 0o311);
  expect(await reportedBy('unprivileged')).toEqual([
    { name: 'files.unwatched', fields: { path: at('certs/deep'), code: 'EACCES' } },
  ]);
});

test('a folder that is only passed through need not be watched', async () => {
  await chmod(at('certs'), 0o311);
  expect(await reportedBy('unprivileged')).toEqual([]);
});
