import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { keyForm, mintPki } from '../support/pki.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const closing = closeAfterEach();
let cwd: string;
beforeEach(async () => {
  const folder = await makeTempFolder();
  cwd = folder.path;
  closing.push(folder.remove);
});

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => runPostern(args, { cwd, env });
const json = async (args: readonly string[], env = {}): Promise<unknown> => {
  const { code, stdout, stderr } = await run([...args, '--json'], env);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
};

/** A strict server, and the files of a client it accepts. */
async function strictUpstream() {
  const ca = await (await mintPki()).ca('upstream CA');
  const server = await ca.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' });
  const client = await ca.issue({ cn: 'postern', eku: 'client' });
  const tls = { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true };
  const upstream = await startMcpUpstream({ tls });
  closing.push(() => upstream.close());
  await mkdir(join(cwd, 'tls'));
  const files = {
    'ca.pem': ca.pem,
    'cert.pem': client.chainPem,
    'key.pem': keyForm(client.keyPem, { passphrase: 'open sesame' }),
    passphrase: 'open sesame\n',
    'bundle.pem': client.bundlePem,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, 'tls', name), text);
  return { upstream, url: `https://localhost:${upstream.port}/mcp` };
}

test('gateways are registered, changed and checked over the local data directory, and served from it', async () => {
  const { upstream, url } = await strictUpstream();
  const identity = ['--cert', 'tls/cert.pem', '--key', 'tls/key.pem', '--key-password-file', 'tls/passphrase'];
  const refused = await run(['gateways', 'add', 'strict', url, '--ca', 'tls/ca.pem']);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('tls_client_certificate_required');

  const added = await json(['gateways', 'add', 'strict', url, '--ca', 'tls/ca.pem', ...identity]);
  expect(added).toMatchObject({ slug: 'strict', clientKey: '*****' });
  expect(new Set(upstream.requests.map(({ clientSubject }) => clientSubject))).toEqual(new Set(['postern']));
  expect((await run(['gateways', 'list'])).stdout).toContain('strict');
  expect(await json(['gateways', 'check', 'strict'])).toMatchObject({ ok: true });

  expect(await json(['gateways', 'update', 'strict', '--description', 'a strict one'])).toMatchObject({
    description: 'a strict one',
    clientKey: '*****',
  });
  expect(await json(['gateways', 'update', 'strict', '--clear', 'description'])).toMatchObject({ description: null });
  expect(await json(['gateways', 'deactivate', 'strict'])).toMatchObject({ enabled: false });
  expect(await json(['gateways', 'activate', 'strict'])).toMatchObject({ enabled: true });
  expect(await json(['gateways', 'refresh', 'strict'])).toMatchObject({ success: true });

  const postern = await servePostern([], { cwd });
  closing.push(() => postern.kill());
  const { token } = (await json(['token', '--sub', 'ann', '--role', 'admin'])) as { token: string };
  const remote = { POSTERN_URL: postern.url, POSTERN_TOKEN: token };
  expect(await json(['gateways', 'list'], remote)).toMatchObject([{ slug: 'strict', enabled: true }]);
  expect((await run(['gateways', 'show', 'strict'], remote)).stdout).toContain('slug: strict');
  expect((await run(['gateways', 'show', 'nobody'], remote)).stderr).toContain('no gateway has the id, slug or name');
  expect((await run(['gateways', 'remove', 'strict'], remote)).code).toBe(0);
  expect(await json(['gateways', 'list'], remote)).toEqual([]);
});

test('virtual servers are made, changed and removed over the local data directory and over a running gateway', async () => {
  const upstream = await startMcpUpstream();
  closing.push(() => upstream.close());
  await json(['gateways', 'add', 'crm', upstream.url]);
  await json(['gateways', 'add', 'crm two', upstream.url]);
  expect((await run(['servers', 'list'])).stdout).toContain('there is no virtual server');
  expect((await run(['servers', 'add', 'Desk', '--gateway', 'nobody'])).stderr).toContain('config_invalid');
  expect(await json(['servers', 'add', 'Desk', '--gateway', 'crm*', '--description', 'd'])).toMatchObject({
    slug: 'desk',
    gateways: ['crm', 'crm-two'],
  });
  await writeFile(join(cwd, 'desk.json'), JSON.stringify({ members: [{ gateway: 'crm', tools: ['echo'] }] }));
  expect(await json(['servers', 'update', 'Desk', '--file', 'desk.json'])).toMatchObject({
    description: 'd',
    associatedTools: ['echo'],
  });
  expect((await run(['servers', 'list'])).stdout).toMatch(/^desk +active +1 tools +crm$/m);
  await writeFile(join(cwd, 'broken.json'), '{"secret": ');
  const broken = await run(['servers', 'update', 'desk', '--file', 'broken.json']);
  expect([broken.code, broken.stderr]).toEqual([2, expect.not.stringContaining('secret')]);
  for (const args of [['add'], ['update', 'desk'], ['adds']]) expect((await run(['servers', ...args])).code).toBe(2);

  const postern = await servePostern([], { cwd });
  closing.push(() => postern.kill());
  const { token } = (await json(['token', '--sub', 'ann', '--role', 'admin'])) as { token: string };
  const remote = { POSTERN_URL: postern.url, POSTERN_TOKEN: token };
  expect((await run(['servers', 'show', 'desk'], remote)).stdout).toContain('slug: desk');
  expect(await json(['servers', 'deactivate', 'desk'], remote)).toMatchObject({ enabled: false });
  expect(await json(['servers', 'activate', 'desk'], remote)).toMatchObject({ enabled: true });
  expect((await run(['servers', 'remove', 'desk'], remote)).code).toBe(0);
  expect(await json(['servers', 'list'], remote)).toEqual([]);
});

test('a bundle may be given as certificate alone, and a failing check exits 1', async () => {
  const { upstream, url } = await strictUpstream();
  await json(['gateways', 'add', 'bundled', url, '--ca', 'tls/ca.pem', '--cert', 'tls/bundle.pem']);
  await upstream.close();
  const ran = await run(['gateways', 'check', 'bundled']);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain('tcp_refused');
});

test('the vault is rotated: everything opens under the new key', async () => {
  const { url } = await strictUpstream();
  await json(['gateways', 'add', 'strict', url, '--ca', 'tls/ca.pem', '--cert', 'tls/bundle.pem']);
  const { kid, refused } = (await json(['vault', 'rotate'])) as { kid: string; refused: unknown[] };
  expect(refused).toEqual([]);
  expect(kid).not.toBe('');
  expect(await json(['gateways', 'check', 'strict'])).toMatchObject({ ok: true });
});

test('keys for a shared store come from `vault key`, and no two are alike', async () => {
  const first = (await json(['vault', 'key'])) as Record<string, string>;
  expect(Object.keys(first)).toEqual(['POSTERN_VAULT_KEYS', 'JWT_SECRET_KEY']);
  expect(await json(['vault', 'key'])).not.toEqual(first);
  expect(await run(['config', 'check', '--storage', 'redis://store'], first)).toMatchObject({ code: 0 });
});

test('config check shows what is effective and everything that is wrong', async () => {
  const fine = (await json(['config', 'check', '--port', '1'], { JWT_SECRET_KEY: 'canary'.repeat(8) })) as object;
  expect(fine).toMatchObject({ ok: true, problems: [] });
  expect(JSON.stringify(fine)).not.toContain('canary');
  const wrong = await run(['config', 'check', '--json'], { POSTERN_PORTS: '1', LOG_LEVEL: 'loud', CERT_FILE: 'x.pem' });
  expect(wrong.code).toBe(1);
  const { problems } = JSON.parse(wrong.stdout) as { problems: { setting: string }[] };
  expect(problems.map(({ setting }) => setting)).toEqual(['POSTERN_PORTS', 'LOG_LEVEL']);
  const file = await run(['config', 'check', '--json'], { CERT_FILE: 'x.pem' });
  expect(JSON.parse(file.stdout)).toMatchObject({ problems: [{ setting: 'CERT_FILE' }] });
});

test('token lifetimes and roles are checked', async () => {
  for (const args of [
    ['--role', 'root'],
    ['--ttl', 'soon'],
    ['--ttl', '0'],
  ])
    expect((await run(['token', '--sub', 'ann', ...args])).code).toBe(2);
  expect((await run(['token'])).code).toBe(2);
  const ran = await run(['token', '--sub', 'ann']);
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('no signing key')]);
});
