/** Beside a-canary-key-appears-nowhere: what a real process leaves where others on the machine can look. */
import { watch } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { makeCanaryKey } from '../support/canaries.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import { lookUpProcess } from '../support/process-listing.ts';
import { CLIENT, startStrictUpstream } from '../support/strict-upstream.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const TOKEN = `canary-token-${crypto.randomUUID()}`;
const closing = closeAfterEach();

test('a key, its passphrase and a token show in no log at debug, no process list and no file, temporary ones included', async () => {
  const { upstream, fields, client, ca } = await startStrictUpstream();
  const folder = await makeTempFolder();
  closing.push(
    () => upstream.close(),
    () => folder.remove(),
  );
  const canary = makeCanaryKey(client.keyPem, [TOKEN]);
  const [cwd, temporary] = [join(folder.path, 'cwd'), join(folder.path, 'tmp')];
  await mkdir(cwd);
  await mkdir(temporary);
  const written: string[] = [];
  const watcher = watch(temporary, (_event, name) => void written.push(name ?? 'something'));
  closing.push(() => watcher.close());

  // no PATH: whoever would hand the key to another program does not find one
  const postern = await servePostern(['--log-level', 'debug'], { cwd, env: { TMPDIR: temporary, PATH: '' } });
  closing.push(() => postern.kill());
  const { stdout } = await runPostern(['token', '--sub', 'ann', '--role', 'admin'], { cwd });
  const token = stdout.trimEnd();
  const answers: string[] = [];
  const api = async (method: string, path: string, body?: object): Promise<number> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(postern.url + path, { method, headers, body: body ? JSON.stringify(body) : null });
    answers.push(JSON.stringify([...response.headers]), await response.text());
    return response.status;
  };

  const secrets = {
    client_key: canary.encryptedPem,
    client_key_password: canary.passphrase,
    auth_type: 'bearer',
    auth_token: TOKEN,
  };
  expect(
    await api('POST', '/v1/gateways', { ...fields, ...secrets, client_key_password: `${canary.passphrase}!` }),
  ).toBe(422);
  expect(await api('POST', '/v1/gateways', { ...fields, ...secrets, ca_certificate: client.certPem })).toBe(422);
  expect(await api('POST', '/v1/gateways', { ...fields, ...secrets })).toBe(200);
  const other = await ca.issue({ cn: 'other' });
  expect(await api('PUT', '/v1/gateways/up', { client_cert: other.chainPem, client_key: canary.encryptedPem })).toBe(
    422,
  );
  for (const era of ['legacy', 'modern'] as const) {
    const agent = await connectClient(`${postern.url}/mcp`, token, era);
    expect(textOf(await agent.callTool({ name: 'up_echo', arguments: { text: 'hello' } }))).toBe('hello');
    await agent.close();
  }
  upstream.dropConnections();
  for (const path of ['refresh', 'check', 'state?activate=false', 'state?activate=true'])
    expect(await api('POST', `/v1/gateways/up/${path}`), path).toBe(200);
  postern.signal('SIGHUP');
  expect(
    await api('PUT', '/v1/gateways/up', {
      client_cert: client.bundlePem,
      client_key: client.bundlePem,
      client_key_password: null,
    }),
  ).toBe(200);
  for (const path of ['/v1/gateways', '/v1/gateways/up', '/metrics', '/openapi.json', '/ready'])
    expect(await api('GET', path)).toBe(200);
  expect(new Set(upstream.requests.map(({ clientSubject }) => clientSubject))).toEqual(new Set([CLIENT]));

  const listing = await lookUpProcess(postern.pid);
  expect(listing.text).toContain('serve');
  for (const file of listing.files) expect(file.startsWith(cwd), file).toBe(true);
  const running = await folder.bytes();
  postern.signal('SIGTERM');
  expect(await postern.exited).toBe(0);
  expect(postern.stderr()).toContain('"handshake.finished"');

  const places = {
    answers: answers.join('\n'),
    log: postern.stdout() + postern.stderr(),
    'process list': listing.text,
    'files while it ran': running,
    'files afterwards': await folder.bytes(),
  };
  for (const [place, text] of Object.entries(places)) {
    expect(text.length, place).toBeGreaterThan(50);
    expect(canary.countIn(text), place).toBe(0);
  }
  expect([written, await readdir(temporary)]).toEqual([[], []]);
  // the watcher and the search do find what is there
  await writeFile(join(temporary, 'key.pem'), client.keyPem);
  await expect.poll(() => written).toContain('key.pem');
  expect(canary.countIn(await folder.bytes())).toBeGreaterThan(2);
}, 30_000);
