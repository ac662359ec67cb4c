import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createGrowingFile } from '../../../adapters/node-compat/files/growing-file.ts';
import { linesOf } from '../../../adapters/node-compat/files/lines-of.ts';
import { closeAfterEach } from '../../support/closing.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const closing = closeAfterEach();
async function place(): Promise<string> {
  const folder = await makeTempFolder();
  closing.push(() => folder.remove());
  return join(folder.path, 'lines');
}
const NOTHING = { lastLine: undefined, torn: undefined };

test('it is made for its owner only, and tells its end when it is opened again', async () => {
  const path = await place();
  const file = createGrowingFile(path);
  expect(await file.open()).toEqual(NOTHING);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await file.append('one\ntwo\n');
  await file.append('three\n');
  expect(await readFile(path, 'utf8')).toBe('one\ntwo\nthree\n');
  expect(await file.open()).toEqual({ lastLine: 'three', torn: undefined });
  await file.close();
});

test.each([
  ['no', 'no', undefined],
  ['one\n', '', 'one'],
  ['\n', '', ''],
  ['one\ntwo\nthr', 'thr', 'two'],
  [`${'x'.repeat(100_000)}\n${'y'.repeat(200_000)}\nz`, 'z', 'y'.repeat(200_000)],
])('the end of what is there: case %#', async (text, torn, lastLine) => {
  const path = await place();
  await writeFile(path, text);
  const file = createGrowingFile(path);
  const sha256 = createHash('sha256').update(torn).digest('hex');
  expect(await file.open()).toEqual({ lastLine, torn: torn === '' ? undefined : { bytes: torn.length, sha256 } });
  await file.close();
});

test('what somebody else wrote or cut is noticed before anything is added', async () => {
  const path = await place();
  const file = createGrowingFile(path);
  await file.open();
  await file.append('one\n');
  await appendFile(path, 'other\n');
  await expect(file.append('two\n')).rejects.toMatchObject({ code: 'audit_unavailable' });
  expect(await file.open()).toEqual({ lastLine: 'other', torn: undefined });
  await truncate(path, 4);
  await expect(file.append('two\n')).rejects.toThrow(/somebody else wrote to it or cut it/);
  expect(await readFile(path, 'utf8')).toBe('one\n');
  await file.close();
});

test('that it was moved is told, and a new one is made', async () => {
  const path = await place();
  const file = createGrowingFile(path);
  await file.open();
  await file.append('one\n');
  expect(await file.hasMoved()).toBe(false);
  await rename(path, `${path}.1`);
  expect(await file.hasMoved()).toBe(true);
  expect(await file.open()).toEqual(NOTHING);
  expect(await file.hasMoved()).toBe(false);
  await file.close();
});

test('no link is followed, and no folder or missing folder is taken', async () => {
  const path = await place();
  await symlink('/dev/null', path);
  await expect(createGrowingFile(path).open()).rejects.toMatchObject({ code: 'audit_unavailable' });
  await mkdir(`${path}.d`);
  await expect(createGrowingFile(`${path}.d`).open()).rejects.toMatchObject({ code: 'audit_unavailable' });
  await expect(createGrowingFile(`${path}.d/none/lines`).open()).rejects.toThrow(/ENOENT/);
});

test('of what finds no room on the disk nothing is left', async () => {
  const path = await place();
  const module = resolve(import.meta.dirname, '../../../adapters/node-compat/files/growing-file.ts');
  const program = `
    const { createGrowingFile } = await import(${JSON.stringify(module)});
    const file = createGrowingFile(${JSON.stringify(path)});
    await file.open();
    await file.append('one\\n');
    await file.append('x'.repeat(3000) + '\\n').catch(({ code, message }) => console.log(code, message));
    await file.append('two\\n');`;
  // a limit of the shell is a disk that is full
  const script = `ulimit -f 2; exec "$0" --input-type=module --eval "$1"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script, process.execPath, program]);
  expect(stdout).toMatch(/^audit_unavailable .*: EFBIG$/m);
  expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
});

test('lines are read as they are, however they lie in chunks', async () => {
  const path = await place();
  const lines = Array.from({ length: 40 }, (_, index) => String(index).repeat(50_000));
  await writeFile(path, `${lines.join('\n')}\n\nrest`);
  const read: [string, boolean][] = [];
  for await (const { bytes, isWhole } of linesOf(path)) read.push([Buffer.from(bytes).toString(), isWhole]);
  expect(read).toEqual([...[...lines, ''].map((line) => [line, true]), ['rest', false]]);
  await expect(linesOf(`${path}.none`).next()).rejects.toMatchObject({ code: 'file_refused' });
});
