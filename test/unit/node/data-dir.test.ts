import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { completeConfig, existingSigningKey } from '../../../adapters/node/data-dir.ts';
import { parseConfig } from '../../../src/config.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import { temporaryFolder } from '../../support/postern.ts';

let dataDir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  const folder = await temporaryFolder();
  dataDir = join(folder.path, 'deep/data');
  remove = folder.remove;
});
afterEach(() => remove());

const valuesOf = (environment: Readonly<Record<string, string>> = {}) =>
  parseConfig({ environment: { POSTERN_DATA_DIR: dataDir, ...environment } }).values;

test('processes that start at once agree on the keys, and one of them made each', async () => {
  const events = recordEvents();
  const configs = await Promise.all(Array.from({ length: 8 }, () => completeConfig(valuesOf(), events.sink)));
  expect(new Set(configs.map(({ jwtSecretKey }) => jwtSecretKey.reveal())).size).toBe(1);
  expect(new Set(configs.map(({ vaultKeys }) => vaultKeys.reveal())).size).toBe(1);
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
  expect(config.jwtSecretKey.reveal()).toBe(given.JWT_SECRET_KEY);
  expect(config.vaultKeys.reveal()).toBe(given.POSTERN_VAULT_KEYS);
  expect(events.count('keys.generated') + events.count('gateway.first_start')).toBe(0);
  await expect(stat(join(dataDir, 'signing.key'))).rejects.toThrow();
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
  expect((await existingSigningKey(valuesOf())).reveal()).toBe(jwtSecretKey.reveal());
});
