/** A client of the modern era at servers that only know the legacy one: their own address, and one they share. */
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, postMessage, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream, McpUpstreamOptions } from '../support/mcp-upstream.ts';
import type { FixtureTool } from '../support/mcp-fixture.ts';
import { modernCaller, told } from '../support/modern-caller.ts';

const region = { type: 'string', 'x-mcp-header': 'Region' };
const routed: FixtureTool = {
  description: 'Has an argument that is repeated in a header',
  properties: { region },
  run: () => ({ content: [{ type: 'text', text: 'routed' }] }),
};

const servers: Readonly<Record<string, McpUpstreamOptions>> = {
  sessions: { era: 'legacy', instructions: 'be kind', ownTools: { routed } },
  stateless: { era: 'legacy', legacySessions: false },
  json: { era: 'legacy', jsonResponses: true },
  events: { transport: 'sse' },
};

let gateway: TestGateway;
let token: string;
const upstreams = new Map<string, McpUpstream>();

beforeAll(async () => {
  gateway = await startGateway();
  token = await gateway.token('ann');
  for (const [name, options] of Object.entries(servers)) {
    const upstream = await startMcpUpstream({ name, ...options });
    upstreams.set(name, upstream);
    await gateway.register({ name, url: upstream.url });
  }
  const modern = await startMcpUpstream({ era: 'modern', name: 'new' });
  upstreams.set('new', modern);
  await gateway.register({ name: 'new', url: modern.url });
});
afterAll(async () => {
  await gateway.close();
  for (const upstream of upstreams.values()) await upstream.close();
});

const upstreamOf = (name: string): McpUpstream => upstreams.get(name) as McpUpstream;
const addressOf = (name: string): string => `${gateway.url}/servers/${name}/mcp`;

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectClient(url, token, 'modern');
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

for (const name of Object.keys(servers))
  describe(`at ${name}`, () => {
    test('it learns what the server is, and sees what it has', () =>
      withClient(addressOf(name), async (client) => {
        expect(client.getServerVersion()).toMatchObject({ name });
        expect(client.getServerCapabilities()).toHaveProperty('tools');
        expect((await client.listTools()).tools.map((tool) => tool.name)).toContain('echo');
        expect((await client.listPrompts()).prompts).toMatchObject([{ name: 'greet' }]);
        expect((await client.listResources()).resources).toHaveLength(2);
        expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
      }));

    test('it calls, reads and completes', () =>
      withClient(addressOf(name), async (client) => {
        expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'ü' } }))).toBe('ü');
        expect(await client.callTool({ name: 'fail', arguments: {} })).toMatchObject({ isError: true });
        await expect(client.callTool({ name: 'error', arguments: {} })).rejects.toMatchObject({ code: -32603 });
        const item = await client.readResource({ uri: 'test://item/7' });
        expect(item.contents).toMatchObject([{ text: '{"id":"7"}' }]);
        const { messages } = await client.getPrompt({ name: 'greet', arguments: { who: 'Ann' } });
        expect(messages).toMatchObject([{ content: { text: 'Say hello to Ann' } }]);
        const ref = { type: 'ref/prompt' as const, name: 'greet' };
        const { completion } = await client.complete({ ref, argument: { name: 'who', value: 'park' } });
        expect(completion.values).toEqual(['park']);
      }));
  });

for (const name of ['sessions', 'stateless', 'events'])
  test(`at ${name} progress comes under the token of the caller`, () =>
    withClient(addressOf(name), async (client) => {
      const seen: number[] = [];
      const call = { name: 'progress', arguments: { steps: 3 } };
      await client.callTool(call, { onprogress: ({ progress }) => void seen.push(progress) });
      expect(seen).toEqual([1, 2, 3]);
    }));

for (const name of ['sessions', 'events'])
  test(`at ${name} what the server wants to know is asked of the client, and answered`, () =>
    withClient(addressOf(name), async (client) => {
      expect(textOf(await client.callTool({ name: 'elicit', arguments: { message: 'who?' } }))).toContain('accept');
      expect(textOf(await client.callTool({ name: 'sample', arguments: { prompt: 'p' } }))).toBe('sampled: sampled');
    }));

test('log lines come to who asked for them, from the severity asked for', async () => {
  const caller = modernCaller(addressOf('sessions'), token);
  const lines = async (level?: string) => {
    const meta = level === undefined ? {} : { 'io.modelcontextprotocol/logLevel': level };
    const answer = await caller.ask('tools/call', { name: 'log', arguments: { message: 'hi' } }, meta);
    expect(told(answer)).toBe('logged');
    return answer.notifications.map(({ params }) => params?.['data']);
  };
  expect(await lines()).toEqual([]);
  expect(await lines('debug')).toEqual(['hi']);
  expect(await lines('error')).toEqual([]);
  expect(await lines('info')).toEqual(['hi']);
  expect(upstreamOf('sessions').requestsOf('logging/setLevel').length).toBeGreaterThan(0);
  const refused = await caller.ask('tools/call', { name: 'log' }, { 'io.modelcontextprotocol/logLevel': 'loud' });
  expect(refused).toMatchObject({ status: 400, answer: { id: 'id-5', error: { code: -32602 } } });
});

test('what is discovered may not be kept, tasks are not offered, and the server speaks for itself', async () => {
  const { status, answer } = await modernCaller(addressOf('sessions'), token).ask('server/discover');
  expect(status).toBe(200);
  expect(answer.result).toMatchObject({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    instructions: 'be kind',
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'sessions' } },
  });
});

test('a resource that is not there has the code of the modern era', async () => {
  const upstream = upstreamOf('sessions');
  upstream.intercept = ({ rpcMethod, rpcId }) =>
    rpcMethod === 'resources/read'
      ? Response.json({ jsonrpc: '2.0', id: rpcId, error: { code: -32002, message: 'gone' } })
      : undefined;
  const { answer } = await modernCaller(addressOf('sessions'), token).ask('resources/read', { uri: 'test://none' });
  upstream.intercept = undefined;
  expect(answer).toMatchObject({ id: 'id-1', error: { code: -32602, message: 'gone' } });
});

test('behind one address it finds the servers of both eras, and each is asked as it understands', () =>
  withClient(`${gateway.url}/mcp`, async (client) => {
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    for (const server of upstreams.keys()) expect(names).toContain(`${server}_echo`);
    for (const server of upstreams.keys())
      expect(textOf(await client.callTool({ name: `${server}_echo`, arguments: { text: server } }))).toBe(server);
    expect(textOf(await client.callTool({ name: 'sessions_elicit', arguments: { message: 'who?' } }))).toContain(
      'accept',
    );
    expect(textOf(await client.callTool({ name: 'new_elicit', arguments: { message: 'who?' } }))).toContain('accept');
  }));

test('a session the server lost is opened again, once, behind the back of the caller', async () => {
  const upstream = upstreamOf('sessions');
  await withClient(addressOf('sessions'), async (client) => {
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: '1' } }))).toBe('1');
    await upstream.loseSessions();
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: '2' } }))).toBe('2');
  });
  const anonymous = modernCaller(addressOf('sessions'), token);
  await anonymous.ask('tools/call', { name: 'echo', arguments: { text: '3' } });
  await upstream.loseSessions();
  expect(told(await anonymous.ask('tools/call', { name: 'echo', arguments: { text: '4' } }))).toBe('4');
});

test('callers that may be asked nothing share one session, under ids that never meet', async () => {
  const upstream = upstreamOf('sessions');
  const before = upstream.requestsOf('initialize').length;
  const callers = Array.from({ length: 20 }, () => modernCaller(addressOf('sessions'), token));
  const answers = await Promise.all(
    callers.map((caller, index) => caller.ask('tools/call', { name: 'echo', arguments: { text: `${index}` } })),
  );
  expect(answers.map(told)).toEqual(callers.map((_, index) => `${index}`));
  expect(answers.every(({ answer }) => answer.id === 'id-1')).toBe(true);
  expect(upstream.requestsOf('initialize').length - before).toBeLessThanOrEqual(1);
});

describe('the envelope is checked here, since the server cannot', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const post = async (
    message: { method: string; params?: object },
    headers: Record<string, string> = { 'mcp-method': message.method },
  ) => {
    const sent = { jsonrpc: '2.0', id: 9, ...message };
    const given = { 'mcp-protocol-version': '2026-07-28', ...headers };
    const response = await postMessage(addressOf('sessions'), token, sent, given);
    return { status: response.status, ...((await response.json()) as object) };
  };
  const call = { method: 'tools/call', params: { name: 'echo', arguments: {}, _meta: meta } };

  test('a body without one', async () => {
    for (const params of [undefined, {}, { _meta: { ...meta, 'io.modelcontextprotocol/clientCapabilities': 1 } }])
      expect(await post({ method: 'tools/list', ...(params && { params }) })).toMatchObject({
        status: 400,
        id: 9,
        error: { code: -32602 },
      });
  });

  test('headers that say something else', async () => {
    for (const headers of [
      {},
      { 'mcp-method': 'tools/list', 'mcp-name': 'echo' },
      { 'mcp-name': 'echo' },
      { 'mcp-method': 'tools/call' },
      { 'mcp-method': 'tools/call', 'mcp-name': 'add' },
      { 'mcp-method': 'tools/call', 'mcp-name': 'echo', 'mcp-protocol-version': '2099-01-01' },
    ])
      expect(await post(call, headers)).toMatchObject({ status: 400, id: 9, error: { code: -32020 } });
  });

  test('headers that repeat arguments, as the listing of the server says', async () => {
    const params = { name: 'routed', arguments: { region: 'eu' }, _meta: meta };
    const headers = { 'mcp-method': 'tools/call', 'mcp-name': 'routed' };
    for (const given of [{}, { 'mcp-param-region': 'us' }])
      expect(await post({ method: 'tools/call', params }, { ...headers, ...given })).toMatchObject({
        status: 400,
        id: 9,
        error: { code: -32020 },
      });
    const agreed = await post({ method: 'tools/call', params }, { ...headers, 'mcp-param-region': 'eu' });
    expect(agreed).toMatchObject({ status: 200, result: { content: [{ text: 'routed' }] } });
  });

  test('a version nobody knows', async () => {
    const params = { _meta: { ...meta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } };
    const headers = { 'mcp-method': 'tools/list', 'mcp-protocol-version': '2099-01-01' };
    expect(await post({ method: 'tools/list', params }, headers)).toMatchObject({
      status: 400,
      id: 9,
      error: { code: -32022, data: { supported: ['2026-07-28'] } },
    });
  });

  test('methods the modern era does not have never reach the server', async () => {
    const upstream = upstreamOf('sessions');
    for (const method of ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'tasks/list', 'x/y']) {
      const before = upstream.requestsOf(method).length;
      expect(await post({ method, params: { _meta: meta } })).toMatchObject({
        status: 404,
        id: 9,
        error: { code: -32601 },
      });
      expect(upstream.requestsOf(method).length).toBe(before);
    }
  });
});

test('a failing server is named, with the id of the request', async () => {
  const upstream = upstreamOf('json');
  const caller = modernCaller(addressOf('json'), token);
  for (const [answer, code] of [
    [new Response('no', { status: 401 }), 'upstream_auth_refused'],
    [new Response('no', { status: 500 }), 'upstream_http_status'],
    [new Response('hello'), 'upstream_protocol'],
    [new Response(null, { status: 202 }), 'upstream_protocol'],
    [new Response('data: {}\n\n', { headers: { 'content-type': 'text/event-stream' } }), 'upstream_protocol'],
  ] as const) {
    upstream.intercept = ({ rpcMethod }) => (rpcMethod === 'tools/call' ? answer : undefined);
    const refused = await caller.ask('tools/call', { name: 'echo' });
    expect(refused, code).toMatchObject({ status: 200, answer: { id: expect.any(String), error: { data: { code } } } });
  }
  upstream.intercept = undefined;
});

test('a stream that breaks after it began ends with an error, not with silence', async () => {
  const upstream = upstreamOf('sessions');
  upstream.intercept = ({ rpcMethod }) =>
    rpcMethod === 'tools/call'
      ? new Response('data: {}\n\n', { headers: { 'content-type': 'text/event-stream' } })
      : undefined;
  const caller = modernCaller(addressOf('sessions'), token);
  const refused = await caller.ask('tools/call', { name: 'echo' }, { progressToken: 1 });
  upstream.intercept = undefined;
  expect(refused.answer).toMatchObject({ id: 'id-1', error: { data: { code: 'upstream_protocol' } } });
});
