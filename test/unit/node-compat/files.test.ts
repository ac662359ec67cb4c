import { execFileSync } from 'node:child_process';
import { utimesSync, writeFileSync } from 'node:fs';
import { mkdir, open, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileReader, readTextFile } from '../../../adapters/node-compat/files/file-reader.ts';
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

describe('a file that is written to while it is read', () => {
  let path: string;
  let restore: () => void;
  /** Runs `before` and `after` at each read, between the looks at the file's size. */
  const aroundReads = async (before: (count: number) => void, after: (count: number) => void) => {
    const file = await open(path);
    const prototype = Object.getPrototypeOf(file) as { read: (...options: never[]) => Promise<unknown> };
    await file.close();
    const { read } = prototype;
    let count = 0;
    prototype.read = async function (...options) {
      before(++count);
      const result = await read.apply(this, options);
      after(count);
      return result;
    };
    restore = () => void Object.assign(prototype, { read });
  };
  const nothing = () => undefined;
  beforeEach(async () => {
    path = join(root, 'allowed/deep/ca.pem');
    await utimes(path, 1, 1);
  });
  afterEach(() => restore());

  test.each([
    ['longer', 'inside and more', 1],
    ['shorter', 'in', 1],
    ['as long', 'INSIDE', 2],
  ])('is read again: %s', async (_name, text, changedAt) => {
    const once = (count: number) => {
      if (count > 1) return;
      writeFileSync(path, text);
      utimesSync(path, changedAt, changedAt);
    };
    await aroundReads(once, nothing);
    expect(await readTextFile(path)).toBe(text);
    restore();
    await writeFile(path, 'inside');
    await utimes(path, 1, 1);
    await aroundReads(nothing, once);
    expect(await readTextFile(path)).toBe(text);
  });

  test('is refused when it never comes to rest', async () => {
    await aroundReads((count) => writeFileSync(path, 'x'.repeat(count)), nothing);
    expect(await refusal('allowed/deep/ca.pem')).toBe('file_refused: it changes while it is read');
  });
});
