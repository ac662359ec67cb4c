/** Tokens of the API: shown once, kept as hashes, narrowed down, and revoked on every instance at once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Platform } from '../../src/platform.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, postMessage, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { openSocket } from '../support/web-socket.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { startReplicas } from '../support/replicas.ts';
import type { Replicas } from '../support/replicas.ts';
import { until } from '../support/until.ts';

interface Made {
  readonly id: string;
  readonly token: string;
}

let upstream: McpUpstream;
let store: TestServer;
let replicas: Replicas;
let first: TestGateway;
let second: TestGateway;
/** How far the clock of the gateways is ahead. */
let aheadMs = 0;

const aheadOfTime = (platform: Platform): Platform => ({
  ...platform,
  clock: {
    nowMs: () => platform.clock.nowMs() + aheadMs,
    monotonicMs: () => platform.clock.monotonicMs() + aheadMs,
    // what one instance writes the others are told; none of them looks by itself
    after: (delayMs, task) => (delayMs < 3_000 ? platform.clock.after(delayMs, task) : () => undefined),
  },
});

beforeAll(async () => {
  [upstream, store] = await Promise.all([startMcpUpstream(), startRedis()]);
  const gateways = ['one', 'two'].map((name) => ({ name, url: upstream.url }));
  replicas = await startReplicas(2, gateways, { POSTERN_STORAGE: store.url }, aheadOfTime);
  [first, second] = replicas.gateways as readonly [TestGateway, TestGateway];
  await first.api('POST', '/v1/servers', {
    name: 'desk',
    members: [{ gateway: 'one', tools: ['echo', 'add'], aliases: { repeat: 'echo' } }],
  });
});
afterAll(async () => {
  await replicas.close();
  await store.close();
  await upstream.close();
});

async function make(wish: object): Promise<Made> {
  const answer = await first.api('POST', '/v1/tokens', wish);
  expect(answer.status).toBe(201);
  const made = (await answer.json()) as Made;
  await until(async () => (await statusAt('/servers/one/mcp', made.token, second)) !== 401 || 'networks' in wish);
  return made;
}
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };
const statusAt = async (path: string, token: string, of = first) =>
  (await postMessage(of.url + path, token, PING)).status;

async function toolsAt(path: string, token: string, era: 'legacy' | 'modern'): Promise<readonly string[]> {
  const client = await connectClient(first.url + path, token, era);
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name }) => name).toSorted();
}

test('it stands for its subject with role user, and only its hash is kept', async () => {
  const { id, token } = await make({ subject: 'ann', name: 'report' });
  expect(token).toMatch(/^pst_[\w-]{43}$/);
  expect([await statusAt('/mcp', token), await statusAt('/mcp', token, second)]).toEqual([200, 200]);
  const admin = await fetch(`${first.url}/v1/tokens`, { headers: { authorization: `Bearer ${token}` } });
  expect([admin.status, await admin.text()]).toEqual([403, expect.stringContaining('ann has role user')]);
  const listed = await (await second.api('GET', '/v1/tokens')).json();
  expect(listed).toEqual([
    expect.objectContaining({ id, name: 'report', subject: 'ann', status: 'active', expiresAt: null, servers: null }),
  ]);
  const stored = JSON.stringify(await first.gateway.records.list('token'));
  expect(stored).toContain('"hash":');
  expect([JSON.stringify(listed), stored, JSON.stringify([first.events, second.events])].join()).not.toContain(
    token.slice(4),
  );
});

test.each(['legacy', 'modern'] as const)('its tools are all there is of them, in the %s era', async (era) => {
  const { token } = await make({ subject: 'ann', tools: ['echo', 'a*d'] });
  expect(await toolsAt('/servers/one/mcp', token, era)).toEqual(['add', 'echo']);
  expect(await toolsAt('/mcp', token, era)).toEqual(['one_add', 'one_echo', 'two_add', 'two_echo']);
  // an alias is shown for what it leads to
  expect(await toolsAt('/servers/desk/mcp', token, era)).toEqual(['add', 'repeat']);
  const narrow = await make({ subject: 'ann', tools: ['add'] });
  expect(await toolsAt('/servers/desk/mcp', narrow.token, era)).toEqual(['add']);
  const asked = upstream.requests.length;
  for (const [path, name] of [
    ['/servers/one/mcp', 'echo'],
    ['/mcp', 'one_echo'],
    ['/servers/desk/mcp', 'echo'],
    ['/servers/desk/mcp', 'repeat'],
  ] as const) {
    const client = await connectClient(first.url + path, narrow.token, era);
    await expect(client.callTool({ name, arguments: { text: 'x' } }), `${path} ${name}`).rejects.toThrow();
    await client.close();
  }
  expect(upstream.requests.slice(asked).filter(({ rpcMethod }) => rpcMethod === 'tools/call')).toEqual([]);
  const client = await connectClient(`${first.url}/servers/one/mcp`, token, era);
  expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'hello' } }))).toBe('hello');
  expect((await client.listPrompts()).prompts.length).toBeGreaterThan(0);
  await client.close();
});

test('it is for its servers, by every name and on every way in, and does not tell which others there are', async () => {
  const { token } = await make({ subject: 'ann', servers: ['one', 'd*k'] });
  const { id } = (await (await first.api('GET', '/v1/servers/desk')).json()) as { id: string };
  for (const path of ['/servers/one/mcp', '/servers/desk/mcp', `/servers/${id}/mcp`])
    expect(await statusAt(path, token), path).toBe(200);
  for (const path of ['/mcp', '/servers/two/mcp', '/servers/nobody/mcp']) {
    const answer = await postMessage(first.url + path, token, PING);
    expect([answer.status, answer.headers.get('www-authenticate')], path).toEqual([
      403,
      'Bearer error="insufficient_scope", error_description="the token is not for a server of this name"',
    ]);
  }
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`${first.url}/servers/two/sse`, { headers })).status).toBe(403);
  await expect(openSocket(`${first.url}/servers/two/ws`, { headers })).rejects.toThrow('403');
  expect((await fetch(`${first.url}/metrics`, { headers })).status).toBe(403);
  const { token: all } = await make({ subject: 'ann', servers: ['/mcp', 'one'] });
  expect([await statusAt('/mcp', all), await statusAt('/servers/two/mcp', all)]).toEqual([200, 403]);
});

test('a session that was opened with more shows no more of them', async () => {
  const url = `${first.url}/servers/one/mcp`;
  const [whole, { token }] = [await first.token('ann'), await make({ subject: 'ann', tools: ['echo'] })];
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
  const opened = await postMessage(url, whole, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await opened.text();
  const ask = async (bearer: string, method: string, asked: object) =>
    (await postMessage(url, bearer, { jsonrpc: '2.0', id: 2, method, params: asked }, session)).text();
  const call = { name: 'add', arguments: { a: 1, b: 2 } };
  expect(await ask(whole, 'tools/call', call)).toContain('"text":"3"');
  expect(await ask(token, 'tools/call', call)).not.toContain('"text":"3"');
  expect(await ask(token, 'tools/list', {})).toContain('"name":"echo"');
  expect(await ask(token, 'tools/list', {})).not.toContain('"name":"add"');
});

test('a WebSocket shows no more of them', async () => {
  const { token } = await make({ subject: 'ann', tools: ['echo'] });
  const socket = await openSocket(`${first.url}/servers/one/ws`, { headers: { authorization: `Bearer ${token}` } });
  socket.say({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const { result } = (await socket.next()) as { result: { tools: { name: string }[] } };
  expect(result.tools.map(({ name }) => name)).toEqual(['echo']);
  socket.socket.close();
});

test('it is taken from its networks, by the address of the connection', async () => {
  const near = await make({ subject: 'ann', networks: ['127.0.0.0/8', '::1'] });
  const far = await make({ subject: 'ann', networks: ['10.0.0.0/8'] });
  expect(await statusAt('/mcp', near.token)).toBe(200);
  for (const headers of [{}, { 'x-forwarded-for': '10.0.0.1' }])
    expect((await postMessage(`${first.url}/mcp`, far.token, PING, headers)).status).toBe(401);
});

test('it ends when it was to end, also where it was remembered', async () => {
  const expiresAt = new Date(Date.now() + 30_000).toISOString();
  const { token } = await make({ subject: 'ann', expiresAt });
  expect(await statusAt('/mcp', token)).toBe(200);
  aheadMs = 31_000;
  const answer = await postMessage(`${first.url}/mcp`, token, PING);
  expect([answer.status, await answer.json()]).toMatchObject([401, { code: 'token_expired' }]);
  aheadMs = 0;
});

test('once it is revoked no instance takes it, nor anything like it', async () => {
  const { id, token } = await make({ subject: 'ann' });
  expect([await statusAt('/mcp', token), await statusAt('/mcp', token, second)]).toEqual([200, 200]);
  const startedMs = performance.now();
  expect((await first.api('DELETE', `/v1/tokens/${id}`)).status).toBe(200);
  expect(await statusAt('/mcp', token)).toBe(401);
  await until(async () => (await statusAt('/mcp', token, second)) === 401);
  // it is told within milliseconds; nobody looks before seconds are over
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect((await first.api('DELETE', `/v1/tokens/${id}`)).status).toBe(404);
  for (const forged of [`${token}x`, token.slice(0, -1), token.toLowerCase(), 'pst_', 'pst_' + 'A'.repeat(43)])
    expect(await statusAt('/mcp', forged)).toBe(401);
});

test('a signed token is taken back by its jti, and all of a subject by the moment', async () => {
  const [one, other] = [await first.token('bob'), await first.token('bob')];
  const jti = (JSON.parse(Buffer.from(one.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }).jti;
  expect([await statusAt('/mcp', one), await statusAt('/mcp', one, second)]).toEqual([200, 200]);
  expect((await first.api('POST', '/v1/tokens/revocations', { jti })).status).toBe(201);
  expect([await statusAt('/mcp', one), await statusAt('/mcp', other)]).toEqual([401, 200]);
  await until(async () => (await statusAt('/mcp', one, second)) === 401);
  const kept = await make({ subject: 'bob' });
  aheadMs = 2_000;
  await first.api('POST', '/v1/tokens/revocations', { subject: 'bob' });
  expect([await statusAt('/mcp', other), await statusAt('/mcp', kept.token)]).toEqual([401, 401]);
  await until(async () => (await statusAt('/mcp', other, second)) === 401);
  expect(await statusAt('/mcp', kept.token, second)).toBe(401);
  aheadMs = 4_000;
  const later = await make({ subject: 'bob' });
  expect([await statusAt('/mcp', later.token), await statusAt('/mcp', await first.token('carl'))]).toEqual([200, 200]);
  const listed = await (await second.api('GET', '/v1/tokens/revocations')).json();
  expect(listed).toMatchObject([
    { jti, subject: null },
    { jti: null, subject: 'bob', issuedBefore: expect.any(String), revokedBy: 'operator' },
  ]);
  aheadMs = 0;
});

test('what cannot be meant is refused, and the field is named', async () => {
  for (const [path, body, field] of [
    ['', {}, 'subject'],
    ['', { subject: 'a', tools: [] }, 'tools'],
    ['', { subject: 'a', networks: ['10.0.0.1/8'] }, 'networks[0]'],
    ['', { subject: 'a', expires_at: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['', { subject: 'a', expiresAt: '2026-13-01T00:00:00Z' }, 'expiresAt'],
    ['', { subject: 'a', expiresAt: 'soon' }, 'expiresAt'],
    ['', { subject: 'a', role: 'admin' }, 'role'],
    ['', { subject: 'a\nb' }, 'subject'],
    ['/revocations', {}, 'jti'],
    ['/revocations', { jti: 'a', subject: 'b' }, 'jti'],
    ['/revocations', { jti: 'a', issuedBefore: '2020-01-01T00:00:00Z' }, 'issuedBefore'],
    ['/revocations', { subject: 'a', issuedBefore: '2999-01-01T00:00:00Z' }, 'issuedBefore'],
  ] as const) {
    const answer = await first.api('POST', `/v1/tokens${path}`, body);
    expect([answer.status, await answer.json()], JSON.stringify(body)).toMatchObject([
      400,
      { details: { fields: [{ field }] } },
    ]);
  }
});
