/** `npm run start:workers`: what it prints, what it takes and how it ends. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolve } from 'node:path';
import { makeKeys } from '../../support/gateway.ts';
import { runPostern, servePostern } from '../../support/postern.ts';
import { startStrictUpstream } from '../../support/strict-upstream.ts';
import type { StrictUpstream } from '../../support/strict-upstream.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import type { TempFolder } from '../../support/temp-folder.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const START = [process.execPath, resolve(import.meta.dirname, 'start.ts')];

let folder: TempFolder;
let strict: StrictUpstream;
const keys = makeKeys();
const env = { POSTERN_VAULT_KEYS: keys.vaultKeys.reveal(), JWT_SECRET_KEY: keys.jwtSecretKey.reveal() };
beforeAll(async () => {
  [folder, strict] = await Promise.all([makeTempFolder(), startStrictUpstream()]);
  const { ca, client } = strict;
  const files = { 'ca.pem': ca.pem, 'client.pem': client.chainPem, 'client.key': client.keyPem };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
});
afterAll(async () => {
  await strict?.upstream.close();
  await folder?.remove();
});

const options = () => ({ cwd: folder.path, env, command: START });

test('it serves a server that demands a certificate, and keeps what was registered', async () => {
  const flags = ['--trust', 'ca.pem', '--mtls-certificate', 'CLIENT=client.pem,client.key', '--data-dir', 'kept'];
  const minted = await runPostern(['token', '--sub', 'ann', '--role', 'admin'], { cwd: folder.path, env });
  const headers = { authorization: `Bearer ${minted.stdout.trim()}`, 'content-type': 'application/json' };
  const serve = () => servePostern(flags, options());
  const first = await serve();
  const fields = { name: 'up', url: strict.upstream.url, client_binding: 'CLIENT' };
  const registered = await fetch(`${first.url}/v1/gateways`, { method: 'POST', headers, body: JSON.stringify(fields) });
  expect([registered.status, strict.upstream.requests[0]?.clientSubject]).toEqual([200, 'postern-client']);
  expect((await fetch(first.health)).status).toBe(200);
  first.signal('SIGTERM');
  expect(await first.exited).toBe(0);
  expect(first.stdout().trim().split('\n')).toEqual([
    JSON.stringify({ event: 'ready', url: first.url, health: first.health }),
  ]);
  expect(await first.logged('upstream.registered')).toMatchObject({ level: 'info' });

  const second = await serve();
  const listed = await fetch(`${second.url}/v1/gateways`, { headers });
  expect(await listed.json()).toMatchObject([{ slug: 'up', clientBinding: 'CLIENT' }]);
  second.signal('SIGINT');
  expect(await second.exited).toBe(0);
});

test.for([
  [
    ['--client-ca', 'ca.pem', '--client-auth', 'required', '--tls-cert', 'client.pem'],
    'capability_unsupported',
    'CA_CERTS (requestCertificate)',
  ],
  [['--storage', 'sqlite:x.db'], 'capability_unsupported', 'sqlite'],
  [['--storage', 'd1:OTHER'], 'config_invalid', 'OTHER'],
  [['--log-level', 'loud'], 'config_invalid', 'LOG_LEVEL'],
] as const)('%s ends it with the reason', async ([args, code, part]) => {
  const { code: exit, stdout, stderr } = await runPostern(['--port', '0', ...args], options());
  expect([exit, stdout]).toEqual([1, '']);
  expect(stderr).toContain(code);
  expect(stderr).toContain(part);
});

test.for([
  [{ POSTERN_VAULT_KEYS: '' }, 'POSTERN_VAULT_KEYS'],
  [{ JWT_SECRET_KEY: '' }, 'JWT_SECRET_KEY'],
  [{ POSTERN_VAULT_KEYS: 'garbage' }, 'vault_key_invalid'],
  [{ POSTERN_STORAG: 'd1:DB' }, 'POSTERN_STORAG: no such setting'],
] as const)('%s ends it with the reason', async ([changed, part]) => {
  const { code, stdout, stderr } = await runPostern(['--port', '0'], { ...options(), env: { ...env, ...changed } });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(part);
  for (const secret of Object.values(env)) expect(stderr).not.toContain(secret);
});
