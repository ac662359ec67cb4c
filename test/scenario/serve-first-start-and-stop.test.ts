import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const closing = closeAfterEach();
let cwd: string;
beforeEach(async () => {
  const folder = await makeTempFolder();
  cwd = folder.path;
  closing.push(folder.remove);
});

async function serve(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ServingPostern> {
  const postern = await servePostern(args, { cwd, env });
  closing.push(() => postern.kill());
  return postern;
}

async function tokenOf(role: 'admin' | 'user'): Promise<string> {
  const { code, stdout, stderr } = await runPostern(['token', '--sub', 'ann', '--role', role], { cwd });
  if (code !== 0) throw new Error(stderr);
  return stdout.trimEnd();
}

const mode = async (path: string): Promise<string> => ((await stat(join(cwd, path))).mode & 0o777).toString(8);
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test('the first start makes keys for its owner only and says how to get a token, which works', async () => {
  const postern = await serve();
  expect(postern.stdout().split('\n')).toHaveLength(2);
  expect(postern.health).toBe(`${postern.url}/health`);
  expect((await fetch(postern.health)).status).toBe(200);
  expect((await fetch(`${postern.url}/ready`)).status).toBe(200);

  expect(await mode('data')).toBe('700');
  for (const file of ['data/vault.key', 'data/signing.key', 'data/postern.db']) expect(await mode(file)).toBe('600');
  expect(await readFile(join(cwd, 'data/postern.pid'), 'utf8')).toBe(`${postern.pid}\n`);
  expect(await postern.logged('gateway.first_start')).toMatchObject({
    level: 'warn',
    next: 'postern token --sub you --role admin',
  });
  expect(postern.stderr()).toContain('keys.generated');

  for (const path of ['/v1/gateways', '/metrics', '/mcp']) {
    const refused = await fetch(postern.url + path);
    expect([path, refused.status, refused.headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer']);
  }
  const admin = await tokenOf('admin');
  expect((await fetch(`${postern.url}/v1/gateways`, bearer(admin))).status).toBe(200);
  const user = await tokenOf('user');
  expect((await fetch(`${postern.url}/v1/gateways`, bearer(user))).status).toBe(403);
  const metrics = await fetch(`${postern.url}/metrics`, bearer(user));
  expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await metrics.text()).toContain('postern_up{version=');
});

test('a second start keeps the keys and says nothing of a first start', async () => {
  const first = await serve();
  const token = await tokenOf('admin');
  first.signal('SIGTERM');
  expect(await first.exited).toBe(0);
  expect(await readdir(join(cwd, 'data'))).not.toContain('postern.pid');

  const second = await serve();
  expect((await fetch(`${second.url}/v1/gateways`, bearer(token))).status).toBe(200);
  expect(second.stderr()).not.toContain('first_start');
});

test('SIGTERM lets a call in flight finish and exits 0; SIGHUP before it changes nothing', async () => {
  const upstream = await startMcpUpstream();
  closing.push(() => upstream.close());
  const postern = await serve();
  const token = await tokenOf('admin');
  const added = await runPostern(['gateways', 'add', 'slow', upstream.url, '--url', postern.url, '--token', token], {
    cwd,
  });
  expect(added).toMatchObject({ code: 0 });

  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow_hold', arguments: {} } };
  const answer = postMessage(`${postern.url}/mcp`, token, call);
  await upstream.untilHeld(1);
  postern.signal('SIGHUP');
  postern.signal('SIGHUP');
  expect((await fetch(postern.health)).status).toBe(200);
  postern.signal('SIGTERM');
  expect(await postern.logged('gateway.stopping')).toMatchObject({ reason: 'SIGTERM', inFlight: 1 });
  await expect(fetch(postern.health)).rejects.toThrow();
  upstream.release();
  expect(await (await answer).text()).toContain('"id":1');
  expect(await postern.exited).toBe(0);
  expect(await postern.logged('gateway.stopped')).toMatchObject({ cut: 0 });
});

test('what does not finish in time is cut and counted, and a second signal ends at once', async () => {
  const upstream = await startMcpUpstream();
  closing.push(() => upstream.close());
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow_hold', arguments: {} } };

  const short = await serve([], { POSTERN_DRAIN_TIMEOUT: '0' });
  const token = await tokenOf('admin');
  await runPostern(['gateways', 'add', 'slow', upstream.url], {
    cwd,
    env: { POSTERN_URL: short.url, POSTERN_TOKEN: token },
  });
  const cut = postMessage(`${short.url}/mcp`, token, call).then((response) => response.text());
  const outcome = cut.then(
    () => 'answered',
    () => 'cut',
  );
  await upstream.untilHeld(1);
  short.signal('SIGTERM');
  expect(await short.exited).toBe(0);
  expect(await outcome).toBe('cut');
  expect(await short.logged('gateway.stopped')).toMatchObject({ cut: 1 });

  const long = await serve();
  const hanging = postMessage(`${long.url}/mcp`, token, call).catch(() => undefined);
  await upstream.untilHeld(1);
  long.signal('SIGTERM');
  await long.logged('gateway.stopping');
  long.signal('SIGTERM');
  expect(await long.exited).toBe(1);
  upstream.release();
  await hanging;
});

test('an answer that breaks off does not break the format of the log', async () => {
  const upstream = await startMcpUpstream();
  closing.push(() => upstream.close());
  const postern = await serve(['--log-level', 'debug']);
  const token = await tokenOf('admin');
  const env = { POSTERN_URL: postern.url, POSTERN_TOKEN: token };
  await runPostern(['gateways', 'add', 'slow', upstream.url], { cwd, env });
  // one that can be resumed breaks off as it is
  const beginning = new TextEncoder().encode(
    'id: 1\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n',
  );
  upstream.intercept = ({ rpcMethod }) =>
    rpcMethod === 'tools/call'
      ? new Response(new ReadableStream({ start: (controller) => controller.enqueue(beginning) }), {
          headers: { 'content-type': 'text/event-stream' },
        })
      : undefined;
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow_hold', arguments: {} } };
  const reader = (await postMessage(`${postern.url}/mcp`, token, call)).body?.getReader();
  expect((await reader?.read())?.done).toBe(false);
  upstream.dropConnections();
  await reader?.closed.catch(() => undefined);
  postern.signal('SIGTERM');
  await postern.exited;
  const lines = postern.stderr().trimEnd().split('\n');
  for (const line of lines) expect(() => JSON.parse(line) as unknown, line).not.toThrow();
  expect(lines.some((line) => line.includes('library.printed'))).toBe(true);
  expect(postern.stdout().trimEnd().split('\n')).toHaveLength(1);
});

test('a folder for certificate files that is not there is named, and may come later', async () => {
  const postern = await serve(['--cert-dir', 'certs']);
  const message = 'there is no folder certs: files below it are refused until there is one';
  expect(await postern.logged('config.warned')).toMatchObject({ setting: 'POSTERN_CERT_DIRS', message });
});

test('it goes on serving when nobody reads its log any more', async () => {
  const postern = await serve(['--log-level', 'debug']);
  postern.dropLog();
  for (let n = 0; n < 20; n++) expect((await fetch(`${postern.url}/mcp`)).status).toBe(401);
  postern.signal('SIGTERM');
  expect(await postern.exited).toBe(0);
});

test('health has a listener of its own where one is asked for, with nothing else on it', async () => {
  const postern = await serve(['--health-port', '0']);
  expect(new URL(postern.health).port).not.toBe(new URL(postern.url).port);
  expect((await fetch(postern.health)).status).toBe(200);
  expect((await fetch(new URL('/ready', postern.health))).status).toBe(200);
  for (const path of ['/v1/gateways', '/mcp', '/metrics'])
    expect((await fetch(new URL(path, postern.health), { method: 'POST' })).status).toBe(404);
});

test('no secret shows in the output, even at level debug', async () => {
  const ca = await (await mintPki()).ca('canary CA');
  const { chainPem, keyPem } = await ca.issue({ cn: 'client', eku: 'client' });
  const upstream = await startMcpUpstream();
  closing.push(() => upstream.close());
  const secret = `canary-${crypto.randomUUID()}-${crypto.randomUUID()}`;
  const postern = await serve(['--log-level', 'debug'], { JWT_SECRET_KEY: secret });
  const { stdout } = await runPostern(['token', '--sub', 'ann', '--role', 'admin'], {
    cwd,
    env: { JWT_SECRET_KEY: secret },
  });
  const token = stdout.trimEnd();
  const headers = { ...bearer(token).headers, 'content-type': 'application/json' };
  const body = {
    name: 'x',
    url: 'https://localhost:1/mcp',
    clientCert: chainPem,
    clientKey: keyPem,
    authType: 'bearer',
    authToken: secret,
  };
  expect((await fetch(`${postern.url}/v1/gateways`, { method: 'POST', headers, body: JSON.stringify(body) })).ok).toBe(
    false,
  );
  const taken = { name: 'y', url: upstream.url, authType: 'bearer', authToken: secret };
  expect((await fetch(`${postern.url}/v1/gateways`, { method: 'POST', headers, body: JSON.stringify(taken) })).ok).toBe(
    true,
  );
  await fetch(`${postern.url}/v1/gateways`, bearer(`${token}x`));
  postern.signal('SIGHUP');
  postern.signal('SIGTERM');
  await postern.exited;
  const output = postern.stdout() + postern.stderr();
  expect(output).toContain('request.refused');
  const keyLine = keyPem.split('\n')[1] ?? 'no key';
  const vaultKey = (await readFile(join(cwd, 'data/vault.key'), 'utf8')).trim().split(':')[1] ?? 'no key';
  for (const canary of [secret, token, keyLine, vaultKey]) expect(output).not.toContain(canary);
});
