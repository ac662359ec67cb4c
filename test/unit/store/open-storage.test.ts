import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { openStorage } from '../../../adapters/node-compat/storage/open-storage.ts';
import { NODE } from '../../../adapters/node/runtime.ts';
import { Secret } from '../../../src/base/secret.ts';

const CANARY = 'canary-password';

test.each([
  ['', 'config_invalid', 'a text without one'],
  ['./data/postern.db', 'config_invalid', 'a text without one'],
  ['mysql://user:canary-password@host/db', 'config_invalid', 'met mysql:'],
  ['postgresql+psycopg://user:canary-password@host/db', 'config_invalid', 'met postgresql+psycopg:'],
  ['constructor:x', 'config_invalid', 'met constructor:'],
  ['sqlite:', 'config_invalid', 'sqlite:PATH'],
  ['sqlite:///data/postern.db', 'config_invalid', 'sqlite:PATH'],
  ['redis://user:canary-password@host:99999', 'config_invalid', 'a redis: URL'],
  ['postgres://user:canary-password@host:port/db', 'config_invalid', 'a postgres: URL'],
  ['cf-kv:BINDING', 'capability_unsupported', 'Cloudflare Workers'],
  ['d1:BINDING', 'capability_unsupported', 'Cloudflare Workers'],
  ['deno-kv:', 'capability_unsupported', 'Deno'],
  ['redis://user:canary-password@127.0.0.1:1', 'store_unavailable', 'ECONNREFUSED'],
  ['postgres://user:canary-password@127.0.0.1:1/db', 'store_unavailable', 'ECONNREFUSED'],
])('%s is refused as %s', async (url, code, met) => {
  const error: unknown = await openStorage(NODE, new Secret(url)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, message: expect.stringContaining(met) });
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain(CANARY);
});

test('each store says whether instances can share it', async () => {
  const memory = await openStorage(NODE, new Secret('memory:'));
  expect([memory.name, memory.shared]).toEqual(['memory', false]);
  await memory.close();
});
