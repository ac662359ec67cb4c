import { execFileSync } from 'node:child_process';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFileReader } from '../../../adapters/node/files.ts';
import type { FileReader } from '../../../src/platform.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

let root: string;
let remove: () => Promise<void>;
let read: FileReader;
beforeEach(async () => {
  ({ path: root, remove } = await makeTempFolder());
  await mkdir(join(root, 'allowed/deep'), { recursive: true });
  await mkdir(join(root, 'allowed-too-much'));
  await writeFile(join(root, 'allowed/deep/ca.pem'), 'inside');
  await writeFile(join(root, 'outside.pem'), 'outside');
  await writeFile(join(root, 'allowed-too-much/ca.pem'), 'outside');
  read = createFileReader([join(root, 'missing'), join(root, 'allowed')]);
});
afterEach(() => remove());

const refusal = (path: string, reader = read) =>
  reader(join(root, path)).then(
    (text) => text,
    (error: { code: string; message: string }) => `${error.code}: ${error.message.split(': ')[1]}`,
  );

test('a file below an allowed folder is read', async () => {
  expect(await refusal('allowed/deep/ca.pem')).toBe('inside');
});

test.each([['outside.pem'], ['allowed/../outside.pem'], ['allowed-too-much/ca.pem']])('%s is outside', async (path) => {
  expect(await refusal(path)).toBe('file_refused: it is outside the folders for certificate files');
});

test('the real path decides: links out are refused at every read, links inside are followed', async () => {
  await symlink(join(root, 'outside.pem'), join(root, 'allowed/link.pem'));
  await symlink(root, join(root, 'allowed/up'));
  expect(await refusal('allowed/link.pem')).toContain('outside the folders');
  expect(await refusal('allowed/up/outside.pem')).toContain('outside the folders');

  for (const [name, text] of [
    ['v1', 'first'],
    ['v2', 'second'],
  ] as const) {
    await mkdir(join(root, 'allowed', name));
    await writeFile(join(root, 'allowed', name, 'tls.crt'), text);
  }
  await symlink('v1', join(root, 'allowed/..data'));
  await symlink('..data/tls.crt', join(root, 'allowed/tls.crt'));
  expect(await refusal('allowed/tls.crt')).toBe('first');
  await symlink('v2', join(root, 'allowed/..data_tmp'));
  await rename(join(root, 'allowed/..data_tmp'), join(root, 'allowed/..data'));
  expect(await refusal('allowed/tls.crt')).toBe('second');
});

test('only regular files of a sane size are read, and nothing hangs', async () => {
  execFileSync('mkfifo', [join(root, 'allowed/pipe')]);
  await writeFile(join(root, 'allowed/large'), 'x'.repeat(1024 * 1024 + 1));
  expect(await refusal('allowed/pipe')).toContain('no regular file');
  expect(await refusal('allowed/deep')).toContain('no regular file');
  expect(await refusal('allowed/large')).toContain('larger than');
  expect(await refusal('allowed/nowhere')).toContain('no such file');
});

test('without allowed folders no path is taken', async () => {
  expect(await refusal('allowed/deep/ca.pem', createFileReader([]))).toContain('no folder');
});
