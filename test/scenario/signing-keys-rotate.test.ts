/** Tokens signed with private keys in a file, which is replaced while the gateway runs. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportPKCS8, generateKeyPair } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPostern, servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { issueKey } from '../support/token-issuer.ts';
import type { IssuedKey } from '../support/token-issuer.ts';
import { until } from '../support/until.ts';

const env = { JWT_ALGORITHM: 'ES256', JWT_PRIVATE_KEY_PATH: 'keys.json' };
let folder: TempFolder;
let postern: ServingPostern;
let keys: readonly [IssuedKey, IssuedKey];

const put = (text: string) => writeFile(join(folder.path, 'keys.json'), text);
const setOf = (...list: readonly IssuedKey[]) => JSON.stringify({ keys: list.map(({ privateJwk }) => privateJwk) });
const token = async () => {
  const ran = await runPostern(['token', '--sub', 'ann', '--role', 'admin'], { cwd: folder.path, env });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  return ran.stdout.trim();
};
const kidOf = (jwt: string) =>
  (JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
const status = async (bearer: string) =>
  (await fetch(`${postern.url}/v1/gateways`, { headers: { authorization: `Bearer ${bearer}` } })).status;

beforeAll(async () => {
  folder = await makeTempFolder();
  keys = [await issueKey('ES256', 'old'), await issueKey('ES256', 'new')];
  await put(setOf(keys[0]));
  postern = await servePostern([], { cwd: folder.path, env });
});
afterAll(async () => {
  await postern.kill();
  await folder.remove();
});

test('a key is added, then signs, then the old one goes, and its tokens with it', async () => {
  const [old, young] = keys;
  const first = await token();
  expect([kidOf(first), await status(first)]).toEqual(['old', 200]);

  await put(setOf(young, old));
  expect(await postern.logged('token_keys.changed')).toMatchObject({ kids: ['new', 'old'] });
  const second = await token();
  expect([kidOf(second), await status(second), await status(first)]).toEqual(['new', 200, 200]);

  // a file that cannot be used changes nothing, and is named
  await put('{"keys": [');
  const kept = await postern.logged('token_keys.kept');
  expect(kept).toMatchObject({ code: 'key_unreadable', message: 'JWT_PRIVATE_KEY_PATH: it is not JSON' });
  expect([await status(first), await status(second)]).toEqual([200, 200]);

  await put(setOf(young));
  postern.signal('SIGHUP');
  await until(async () => (await status(first)) === 401);
  expect(await status(second)).toBe(200);
  const log = postern.stderr();
  for (const { privateJwk } of keys) expect(log).not.toContain(privateJwk.d);
  for (const jwt of [first, second]) expect(log).not.toContain(jwt);
});

test('PEM does as well, an algorithm without its key is refused, and a shared store needs no secret then', async () => {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const inline = { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY_PATH: await exportPKCS8(privateKey) };
  const ran = await runPostern(['token', '--sub', 'ann'], { cwd: folder.path, env: inline });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  const shown = await runPostern(['config', 'check', '--json'], { cwd: folder.path, env: inline });
  expect(shown.stdout + shown.stderr).not.toContain('PRIVATE KEY');
  const without = await runPostern(['serve'], { cwd: folder.path, env: { JWT_ALGORITHM: 'RS256' } });
  expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('JWT_PRIVATE_KEY_PATH')]);
  const shared = { ...inline, POSTERN_STORAGE: 'redis://127.0.0.1:1' };
  const refused = await runPostern(['serve'], { cwd: folder.path, env: shared });
  expect(refused.stderr).toContain('POSTERN_VAULT_KEYS');
  expect(refused.stderr).not.toContain('JWT_SECRET_KEY');
});
