import { readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  completeConfig,
  existingSigningKey,
  readVaultKeys,
  writePid,
} from '../../../adapters/node-compat/data-dir/data-dir.ts';
import { changeVaultKeyFile } from '../../../adapters/node-compat/data-dir/vault-key-file.ts';
import { parseConfig } from '../../../src/config.ts';
import { generateVaultKey } from '../../../src/vault/vault-keys.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

let dataDir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  const folder = await makeTempFolder();
  dataDir = join(folder.path, 'deep/data');
  remove = folder.remove;
});
afterEach(() => remove());

const valuesOf = (environment: Readonly<Record<string, string>> = {}) =>
  parseConfig({ environment: { POSTERN_DATA_DIR: dataDir, ...environment } }).values;

test('processes that start at once agree on the keys, and one of them made each', async () => {
  const events = recordEvents();
  const configs = await Promise.all(Array.from({ length: 8 }, () => completeConfig(valuesOf(), events.sink)));
  expect(new Set(configs.map(({ jwtSecretKey }) => jwtSecretKey?.reveal())).size).toBe(1);
  const vaultKeys = await Promise.all(configs.map(readVaultKeys));
  expect(new Set(vaultKeys.map((keys) => keys.reveal())).size).toBe(1);
  expect(
    events
      .of('keys.generated')
      .map(({ what }) => what)
      .toSorted(),
  ).toEqual(['signing', 'vault']);
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  expect(configs[0]?.storage.reveal()).toBe(`sqlite:${join(dataDir, 'postern.db')}`);
});

test('given keys are used as they are, and no file is made for them', async () => {
  const events = recordEvents();
  const given = { JWT_SECRET_KEY: 's'.repeat(40), POSTERN_VAULT_KEYS: `k:${btoa('x'.repeat(32))}` };
  const config = await completeConfig(valuesOf(given), events.sink);
  expect(config.jwtSecretKey?.reveal()).toBe(given.JWT_SECRET_KEY);
  expect((await readVaultKeys(config)).reveal()).toBe(given.POSTERN_VAULT_KEYS);
  expect(events.count('keys.generated') + events.count('gateway.first_start')).toBe(0);
  for (const file of ['signing.key', 'vault.key']) await expect(stat(join(dataDir, file))).rejects.toThrow();
});

test('vault keys are read anew each time, and a file that is gone is not made again', async () => {
  const config = await completeConfig(valuesOf(), recordEvents().sink);
  const before = await readVaultKeys(config);
  const added = generateVaultKey('added');
  await changeVaultKeyFile(join(dataDir, 'vault.key'), (keys) => [added, ...keys]);
  expect((await readVaultKeys(config)).reveal()).toBe(`added:${added.key.reveal()},${before.reveal()}`);
  await rm(join(dataDir, 'vault.key'));
  await expect(readVaultKeys(config)).rejects.toMatchObject({ code: 'file_refused' });
});

test('a store that outlived its vault keys gets no fresh ones', async () => {
  await completeConfig(valuesOf(), recordEvents().sink);
  await writeFile(join(dataDir, 'postern.db'), 'records');
  await completeConfig(valuesOf(), recordEvents().sink);
  await rm(join(dataDir, 'vault.key'));
  await expect(completeConfig(valuesOf(), recordEvents().sink)).rejects.toMatchObject({
    code: 'file_refused',
    message: expect.stringMatching(/vault\.key is not there, but the store .*postern\.db/),
    hint: expect.stringContaining('backup'),
  });
  expect(await readdir(dataDir)).not.toContain('vault.key');
  const given = { POSTERN_VAULT_KEYS: `k:${btoa('x'.repeat(32))}` };
  await completeConfig(valuesOf(given), recordEvents().sink);
});

test('the pid of another gateway over the same directory is left alone', async () => {
  await completeConfig(valuesOf(), recordEvents().sink);
  const path = join(dataDir, 'postern.pid');
  const remove = await writePid(dataDir);
  await writeFile(path, '1\n');
  await remove();
  expect(await readFile(path, 'utf8')).toBe('1\n');
  await (
    await writePid(dataDir)
  )();
  await expect(stat(path)).rejects.toThrow();
});

test.each([
  [{}, 'POSTERN_VAULT_KEYS and JWT_SECRET_KEY'],
  [{ JWT_SECRET_KEY: 's'.repeat(40) }, 'POSTERN_VAULT_KEYS,'],
])('a shared store makes up no keys', async (given, missing) => {
  const values = valuesOf({ ...given, POSTERN_STORAGE: 'postgres://store/x' });
  await expect(completeConfig(values, recordEvents().sink)).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining(missing),
    hint: expect.stringContaining('postern vault key'),
  });
  await expect(stat(dataDir)).rejects.toThrow();
});

test('a token needs a gateway that was started before', async () => {
  await expect(existingSigningKey(valuesOf())).rejects.toMatchObject({ code: 'config_invalid' });
  const { jwtSecretKey } = await completeConfig(valuesOf(), recordEvents().sink);
  expect((await existingSigningKey(valuesOf()))?.reveal()).toBe(jwtSecretKey?.reveal());
});
