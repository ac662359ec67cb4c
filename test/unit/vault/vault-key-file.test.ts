import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  changeVaultKeyFile,
  openVaultKeyFile,
  readVaultKeyFile,
} from '../../../adapters/node-compat/data-dir/vault-key-file.ts';
import { Secret } from '../../../src/base/secret.ts';
import { openKeyring } from '../../../src/vault/keyring.ts';
import { generateVaultKey } from '../../../src/vault/vault-keys.ts';
import type { VaultKeyText } from '../../../src/vault/vault-keys.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import type { RecordedEvents } from '../../support/recorded-events.ts';

let directory: string;
let path: string;
let log: RecordedEvents;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-keys-'));
  path = join(directory, 'data', 'vault.keys');
  log = recordEvents();
});
afterEach(() => rm(directory, { recursive: true }));

const plain = (keys: readonly VaultKeyText[]) => keys.map(({ kid, key }) => `${kid}:${key.reveal()}`);
const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);
const filesThere = () => readdir(join(directory, 'data'));

test('the first start creates it for its owner only, and says so; later starts read it', async () => {
  await expect(readVaultKeyFile(path)).rejects.toMatchObject({ code: 'file_refused' });
  const keys = await openVaultKeyFile(path, log.sink);
  expect(keys).toHaveLength(1);
  expect([await modeOf(path), await modeOf(join(directory, 'data'))]).toEqual(['600', '700']);
  expect(await readFile(path, 'utf8')).toBe(`${plain(keys).join()}\n`);
  expect(plain(await openVaultKeyFile(path, log.sink))).toEqual(plain(keys));
  expect(log.of('keys.generated')).toEqual([{ what: 'vault', path }]);
  expect(log.text()).not.toContain(keys[0]?.key.reveal());
  expect(await filesThere()).toEqual(['vault.keys']);
});

test('of many first starts one creates it, and all use the same key', async () => {
  const opened = await Promise.all(Array.from({ length: 8 }, () => openVaultKeyFile(path, log.sink)));
  expect(new Set(opened.map((keys) => plain(keys).join())).size).toBe(1);
  expect(log.of('keys.generated')).toHaveLength(1);
  expect(await filesThere()).toEqual(['vault.keys']);
});

test.each([0o640, 0o604, 0o620, 0o666])('a file with mode %o is refused', async (mode) => {
  const keys = await openVaultKeyFile(path, log.sink);
  await chmod(path, mode);
  const refusal = {
    code: 'file_refused',
    message: expect.stringContaining(`expected mode 0600, met 0${mode.toString(8)}`),
  };
  await expect(readVaultKeyFile(path)).rejects.toMatchObject(refusal);
  await expect(changeVaultKeyFile(path, () => [])).rejects.toMatchObject(refusal);
  await chmod(path, 0o400);
  expect(plain(await readVaultKeyFile(path))).toEqual(plain(keys));
});

test('what is no regular file is refused, and nothing hangs', async () => {
  await mkdir(path, { recursive: true });
  await expect(readVaultKeyFile(path)).rejects.toMatchObject({ message: expect.stringContaining('no regular file') });
  await rm(path, { recursive: true });
  execFileSync('mkfifo', ['-m', '600', path]);
  await expect(openVaultKeyFile(path, log.sink)).rejects.toMatchObject({ code: 'file_refused' });
});

test('a change replaces the whole file at once', async () => {
  const [first] = await openVaultKeyFile(path, log.sink);
  const added = generateVaultKey('added');
  const changed = await changeVaultKeyFile(path, (keys) => [added, ...keys]);
  expect(changed.map(({ kid }) => kid)).toEqual(['added', first?.kid]);
  expect(plain(await readVaultKeyFile(path))).toEqual(plain(changed));
  expect(await modeOf(path)).toBe('600');
  expect(await filesThere()).toEqual(['vault.keys']);
});

test('a change that fails leaves the file as it was', async () => {
  await openVaultKeyFile(path, log.sink);
  const before = await readFile(path, 'utf8');
  const failure = new Error('changed my mind');
  const failing = changeVaultKeyFile(path, () => {
    throw failure;
  });
  await expect(failing).rejects.toMatchObject({ code: 'file_refused' });
  expect(await readFile(path, 'utf8')).toBe(before);
  expect(await filesThere()).toEqual(['vault.keys']);
});

test('two changes at once cannot lose a key', async () => {
  await openVaultKeyFile(path, log.sink);
  const attempts = ['a', 'b', 'c', 'd'].map((kid) =>
    changeVaultKeyFile(path, (keys) => [generateVaultKey(kid), ...keys]),
  );
  const outcomes = await Promise.allSettled(attempts);
  const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value[0]?.kid : []));
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : []));
  expect(made.length).toBeGreaterThan(0);
  expect(refused).toEqual(refused.map(() => 'file_refused'));
  expect((await readVaultKeyFile(path)).map(({ kid }) => kid)).toEqual(expect.arrayContaining(made));
});

test('a file of something else is refused without telling what is in it', async () => {
  await openVaultKeyFile(path, log.sink);
  await writeFile(path, '-----BEGIN PRIVATE KEY-----');
  const error: unknown = await readVaultKeyFile(path).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'vault_key_invalid', message: expect.not.stringContaining('BEGIN') });
  await writeFile(path, 'x'.repeat(100_000));
  await expect(readVaultKeyFile(path)).rejects.toMatchObject({ code: 'file_refused' });
});

test('there is nothing to change where there is no file', async () => {
  await expect(changeVaultKeyFile(path, (keys) => keys)).rejects.toMatchObject({ code: 'file_refused' });
});

test('a running vault finds a key that another process put first', async () => {
  const reload = async () => openKeyring(await readVaultKeyFile(path));
  const running = new Vault(await openKeyring(await openVaultKeyFile(path, log.sink)), { reload });
  const changed = await changeVaultKeyFile(path, (keys) => [generateVaultKey('added'), ...keys]);
  const sealed = await new Vault(await openKeyring(changed)).seal(new Secret('x'), 'gateway:a:client_key');
  expect((await running.open(sealed, 'gateway:a:client_key')).reveal()).toBe('x');
  expect(running.primaryKid).toBe('added');
});
