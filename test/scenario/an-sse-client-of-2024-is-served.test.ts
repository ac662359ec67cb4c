import { SSEClientTransport } from '@modelcontextprotocol/client';
import { SSEClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { modernCall } from '../support/scripted-server.ts';
import { connectV1, connectV2, expectEverything, expectNotifications } from '../support/transport-client.ts';

let upstream: McpUpstream;
let second: McpUpstream;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  upstream = await startMcpUpstream();
  second = await startMcpUpstream({ extraTools: ['only_here'] });
  gateway = await startGateway();
  await gateway.register({ name: 'plain', url: upstream.url });
  await gateway.register({ name: 'second', url: second.url });
  token = await gateway.token('ann');
});

afterAll(async () => {
  await gateway.close();
  await second.close();
  await upstream.close();
});

const bearer = (value: string) => ({ headers: { authorization: `Bearer ${value}` } });

const CLIENTS = {
  'SDK v1': (path: string) => connectV1(new TransportV1(new URL(gateway.url + path), { requestInit: bearer(token) })),
  'SDK v2': (path: string) =>
    connectV2(new SSEClientTransport(new URL(gateway.url + path), { requestInit: bearer(token) }), 'legacy'),
};

interface OpenStream {
  readonly endpoint: string;
  readonly read: () => Promise<string>;
  readonly end: () => void;
}

/** A stream opened by hand: what it says, and the address it names. */
async function openStream(path: string, as = token): Promise<OpenStream> {
  const abort = new AbortController();
  const response = await fetch(gateway.url + path, { ...bearer(as), signal: abort.signal });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const read = async () => (await reader?.read())?.value ?? '';
  let text = '';
  while (!text.includes('\n\n') || !text.includes('event:')) text += await read();
  const endpoint = /^(?::\n\n)*event: endpoint\ndata: (\S+)\n\n/.exec(text)?.[1] ?? '';
  return { read, endpoint, end: () => abort.abort() };
}

for (const [sdk, connect] of Object.entries(CLIENTS))
  for (const [path, prefix] of [
    ['/servers/plain/sse', ''],
    ['/sse', 'plain_'],
  ] as const)
    test(`${sdk} does over ${path} all that it does over Streamable HTTP, and leaves nothing`, async () => {
      const before = upstream.sessions;
      const client = await connect(path);
      await expectEverything(client, upstream, prefix);
      await expectNotifications(client, upstream);
      expect(upstream.sessions).toBe(before + 1);
      await client.close();
      await upstream.untilSessions(before);
    });

test('the stream begins with the address to post to, of the same server; both spellings take messages', async () => {
  const { endpoint, end } = await openStream('/servers/plain/sse/');
  expect(endpoint).toMatch(/^\/servers\/plain\/messages\?sessionId=[\w-]{22}$/);
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const taken = await postMessage(gateway.url + endpoint, token, ping);
  expect([taken.status, await taken.text()]).toEqual([202, '']);
  const alias = endpoint.replace('/messages', '/message');
  expect((await postMessage(gateway.url + alias, token, { ...ping, id: 2 })).status).toBe(202);
  end();
  await vi.waitFor(async () => expect((await postMessage(gateway.url + endpoint, token, ping)).status).toBe(404));
});

test('nobody else posts to a stream, and whose it is nobody is told', async () => {
  const { endpoint, end } = await openStream('/sse');
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const bob = await gateway.token('bob');
  const refusals = await Promise.all([
    postMessage(gateway.url + endpoint, bob, ping),
    postMessage(`${gateway.url}/messages?sessionId=unknown`, token, ping),
    postMessage(`${gateway.url}/messages`, token, ping),
    postMessage(`${gateway.url}/servers/plain${endpoint}`, token, ping),
  ]);
  const problems = await Promise.all(refusals.map(async (answer) => [answer.status, await answer.json()] as const));
  for (const [status, problem] of problems) {
    expect(status).toBe(404);
    expect(problem).toMatchObject({
      code: 'session_not_found',
      message: expect.stringContaining('lives on the instance that holds its stream'),
    });
  }
  end();
});

test('credentials are asked for at both addresses, and pages from elsewhere are refused', async () => {
  const { endpoint, end } = await openStream('/sse');
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const statusOf = async (path: string, init: RequestInit) => (await fetch(gateway.url + path, init)).status;
  const post = { method: 'POST', body: JSON.stringify(ping) };
  expect(await statusOf('/sse', {})).toBe(401);
  expect(await statusOf('/servers/none/sse', {})).toBe(401);
  expect(await statusOf('/servers/none/sse', bearer(token))).toBe(404);
  expect(await statusOf(endpoint, post)).toBe(401);
  expect(await statusOf(endpoint, { ...post, ...bearer('forged') })).toBe(401);
  const foreign = { authorization: `Bearer ${token}`, origin: 'https://evil.example' };
  expect(await statusOf('/sse', { headers: foreign })).toBe(403);
  expect(await statusOf(endpoint, { ...post, headers: foreign })).toBe(403);
  expect(await statusOf('/sse', { ...post, ...bearer(token) })).toBe(405);
  expect(await statusOf(endpoint, bearer(token))).toBe(405);
  end();
});

test('a malformed message is refused where it is posted, and the stream goes on', async () => {
  const { endpoint, read, end } = await openStream('/sse');
  const refused = await postMessage(gateway.url + endpoint, token, '{');
  expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'request_invalid' }]);
  await postMessage(gateway.url + endpoint, token, { jsonrpc: '2.0', id: 7, method: 'ping' });
  let text = '';
  while (!text.includes('"id":7')) text += await read();
  expect(text).toContain('event: message\ndata: {"jsonrpc":"2.0","id":7');
  end();
});

test('a stop lets calls finish, refuses new ones, and ends the stream', async () => {
  const stopping = await startGateway();
  await stopping.register({ name: 'plain', url: upstream.url });
  const bearerOf = bearer(await stopping.token('ann'));
  const response = await fetch(`${stopping.url}/servers/plain/sse`, bearerOf);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const untilSaid = async (wanted: string) => {
    while (!text.includes(wanted)) text += (await reader?.read())?.value ?? '';
  };
  await untilSaid('sessionId=');
  const endpoint = /data: (\S+)/.exec(text)?.[1] ?? '';
  const say = (message: object) =>
    fetch(stopping.url + endpoint, { ...bearerOf, method: 'POST', body: JSON.stringify(message) });
  await say(modernCall(1, 'hold'));
  await upstream.untilHeld(1);
  stopping.gateway.beginDrain();
  expect((await say(modernCall(2))).status).toBe(202);
  await untilSaid('shutting_down');
  expect((await fetch(`${stopping.url}/sse`, bearerOf)).status).toBe(503);
  upstream.release();
  for (let done = false; !done;) {
    const next = await reader?.read();
    text += next?.value ?? '';
    done = next?.done ?? true;
  }
  expect(text).toMatch(/"id":2,"error"[\s\S]*"text":"released"/);
  await stopping.close();
});
