/** Two issuers over TLS, one for each convention of discovery, and what a client is told to find them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import { issueKey, startTokenIssuer } from '../support/token-issuer.ts';
import type { TokenIssuer } from '../support/token-issuer.ts';

const PUBLIC_URL = 'https://gateway.example.com';
let upstream: McpUpstream;
let first: TokenIssuer;
let second: TokenIssuer;
let ca: string;
let gateway: TestGateway;

beforeAll(async () => {
  const authority = await (await mintPki()).ca('Issuers');
  const server = await authority.issue({ cn: 'issuer', dns: ['localhost'], eku: 'server' });
  const tls = { cert: server.chainPem, key: server.keyPem, allowHTTP1: true };
  ca = authority.pem;
  first = await startTokenIssuer({ tls });
  second = await startTokenIssuer({ tls, path: '/tenant/v2', convention: 'openid' });
  upstream = await startMcpUpstream();
  gateway = await start({ POSTERN_ISSUER_CA: ca, POSTERN_PUBLIC_URL: PUBLIC_URL });
  await gateway.register({ name: 'one', url: upstream.url });
});
afterAll(async () => {
  await gateway.close();
  for (const one of [upstream, first, second]) await one.close();
});

const start = (settings: Readonly<Record<string, string>>) =>
  startGateway({ settings: { POSTERN_TRUSTED_ISSUERS: `${first.issuer},${second.issuer}`, ...settings } });
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
const statusAt = async (path: string, token: string, of = gateway) =>
  (await postMessage(of.url + path, token, ping)).status;
const challengeAt = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
  const method = /messages?$/.test(path) ? 'POST' : 'GET';
  const answer = await fetch(gateway.url + path, { method, headers });
  return [answer.status, answer.headers.get('www-authenticate')];
};

test('both conventions of discovery are followed, and a token is good where it was issued for', async () => {
  for (const issuer of [first, second]) {
    expect(await statusAt('/mcp', await issuer.sign())).toBe(200);
    const forOne = await issuer.sign({ aud: `${PUBLIC_URL}/servers/one/mcp` });
    expect(await statusAt('/servers/one/mcp', forOne)).toBe(200);
    for (const other of ['/mcp', '/servers/two/mcp', '/mcp/http']) expect(await statusAt(other, forOne)).toBe(401);
    // where callers reach it is not what a request says
    expect(await statusAt('/mcp', await issuer.sign({ aud: `${gateway.url}/mcp` }))).toBe(401);
  }
  expect(first.asked).toEqual(['/.well-known/oauth-authorization-server', '/keys']);
  expect(second.asked).toEqual([
    '/.well-known/oauth-authorization-server/tenant/v2',
    '/tenant/v2/.well-known/openid-configuration',
    '/keys',
  ]);
});

test('callers of one name are other callers by another issuer, and here', async () => {
  const initialize = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
  };
  const opened = await postMessage(`${gateway.url}/mcp`, await first.sign(), initialize);
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
  const statusOf = async (token: string) => (await postMessage(`${gateway.url}/mcp`, token, list, session)).status;
  expect(await statusOf(await first.sign())).toBe(200);
  for (const other of [await second.sign(), await gateway.token('ann')]) expect(await statusOf(other)).toBe(404);
});

test('a new key is found by its name, and tokens of one that is gone are refused though they were remembered', async () => {
  const [old, young] = [await issueKey('EdDSA', 'old'), await issueKey('RS256', 'young')];
  const issuer = await startTokenIssuer();
  let passedMs = 0;
  const own = await startGateway({
    settings: { POSTERN_TRUSTED_ISSUERS: issuer.issuer },
    wrapPlatform: (platform) => ({
      ...platform,
      clock: {
        nowMs: () => platform.clock.nowMs(),
        monotonicMs: () => platform.clock.monotonicMs() + passedMs,
        after: (delayMs, task) => platform.clock.after(delayMs, task),
      },
    }),
  });
  try {
    issuer.publish(old.publicJwk);
    const [before, after] = [await issuer.sign({}, { key: old }), await issuer.sign({}, { key: young })];
    expect(await statusAt('/mcp', before, own)).toBe(200);
    issuer.publish(young.publicJwk);
    // it was looked for a moment ago
    expect(await statusAt('/mcp', after, own)).toBe(401);
    expect(issuer.asked.length).toBe(2);
    passedMs = 31_000;
    expect(await statusAt('/mcp', before, own)).toBe(200);
    expect(await statusAt('/mcp', after, own)).toBe(200);
    expect(await statusAt('/mcp', before, own)).toBe(401);
    expect(issuer.asked.length).toBe(4);
  } finally {
    await own.close();
    await issuer.close();
  }
});

test('a client without a token is told where to get one, on every way in', async () => {
  const challenge = (path: string) =>
    `Bearer resource_metadata="${PUBLIC_URL}/.well-known/oauth-protected-resource${path}"`;
  for (const path of ['/mcp', '/mcp/', '/mcp/http', '/sse', '/messages'])
    expect(await challengeAt(path), path).toEqual([401, challenge('/mcp')]);
  for (const path of ['/servers/one/mcp', '/servers/one/sse', '/servers/one/message'])
    expect(await challengeAt(path), path).toEqual([401, challenge('/servers/one/mcp')]);
  const forged = await challengeAt('/mcp', { authorization: 'Bearer a.b.c' });
  expect(forged).toEqual([
    401,
    `Bearer error="invalid_token", error_description="the token is malformed", resource_metadata="${PUBLIC_URL}/.well-known/oauth-protected-resource/mcp"`,
  ]);
  // what is no resource of MCP says what it always said
  expect(await challengeAt('/v1/gateways')).toEqual([401, 'Bearer']);
});

test('each resource describes itself to anybody, whether it is there or not', async () => {
  const origin = 'http://localhost:3000';
  for (const path of ['/mcp', '/servers/one/mcp', '/servers/nobody-knows/mcp']) {
    const answer = await fetch(`${gateway.url}/.well-known/oauth-protected-resource${path}`, { headers: { origin } });
    expect(await answer.json()).toEqual({
      resource: PUBLIC_URL + path,
      authorization_servers: [first.issuer, second.issuer],
      bearer_methods_supported: ['header'],
    });
    expect([answer.headers.get('access-control-allow-origin'), answer.headers.get('cache-control')]).toEqual([
      origin,
      'no-store',
    ]);
  }
  for (const path of ['', '/', '/v1/gateways', '/servers/mcp', '/servers/a/b/mcp'])
    expect((await fetch(`${gateway.url}/.well-known/oauth-protected-resource${path}`)).status, path).toBe(404);
});

test('without issuers nothing of it is said', async () => {
  const plain = await startGateway();
  try {
    expect((await fetch(`${plain.url}/.well-known/oauth-protected-resource/mcp`)).status).toBe(404);
    expect((await fetch(`${plain.url}/mcp`)).headers.get('www-authenticate')).toBe('Bearer');
    expect(await statusAt('/mcp', await first.sign(), plain)).toBe(401);
  } finally {
    await plain.close();
  }
});

test('an issuer whose server nobody vouches for is not believed, and the operator is told why', async () => {
  const wary = await start({});
  try {
    const answer = await postMessage(`${wary.url}/mcp`, await first.sign(), ping);
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'issuer_unavailable', retryable: true }]);
    const failed = wary.events.find(({ name }) => name === 'issuer.failed');
    expect(failed?.fields).toMatchObject({ issuer: first.issuer, code: 'tls_unknown_ca' });
    // the request's own origin, where nobody says what callers write
    const document = await fetch(`${wary.url}/.well-known/oauth-protected-resource/mcp`);
    expect(await document.json()).toMatchObject({ resource: `${wary.url}/mcp` });
  } finally {
    await wary.close();
  }
});
