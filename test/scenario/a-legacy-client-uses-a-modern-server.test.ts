/** A client that initializes, in front of a server that knows no sessions. */
import type { Client } from '@modelcontextprotocol/client';
import type { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, connectClientV1, postMessage, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let upstream: McpUpstream;
let gateway: TestGateway;
let token: string;
let url: string;

beforeAll(async () => {
  upstream = await startMcpUpstream({ era: 'modern', instructions: 'be kind', pageSize: 4, emptyCursor: true });
  gateway = await startGateway();
  await gateway.register({ name: 'new', url: upstream.url });
  token = await gateway.token('ann');
  url = `${gateway.url}/servers/new/mcp`;
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const META = 'io.modelcontextprotocol/';
const generations = {
  'SDK v1': () => connectClientV1(url, token),
  'SDK v2': () => connectClient(url, token, 'legacy'),
} as const;

describe.for(Object.entries(generations))('%s', ([generation, connect]) => {
  let client: Client | ClientV1;
  beforeEach(async () => void (client = await connect()));
  afterEach(() => client.close());

  test('initialize tells what the server is', () => {
    expect(client.getServerVersion()).toMatchObject({ name: 'fixture', version: '1.0.0' });
    expect(client.getInstructions()).toBe('be kind');
    expect(client.getServerCapabilities()).toMatchObject({
      tools: { listChanged: true },
      resources: { subscribe: true },
      logging: {},
    });
  });

  test('lists page by page, with the cursors of the server', async () => {
    const first = await client.listTools({});
    const names = first.tools.map(({ name }) => name);
    let { nextCursor } = first;
    // the client of the second generation walks the pages itself
    while (nextCursor !== undefined) {
      const page = await client.listTools({ cursor: nextCursor });
      names.push(...page.tools.map(({ name }) => name));
      nextCursor = page.nextCursor;
    }
    expect(names).toEqual(expect.arrayContaining(['echo', 'hold', 'change_tools']));
    expect(upstream.requestsOf('tools/list').map(({ params }) => params?.['cursor'])).toContain('');
    expect(first).not.toHaveProperty('ttlMs');
    expect(first).not.toHaveProperty('cacheScope');
  });

  test('tools, prompts, resources and completion', async () => {
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'hi' } }))).toBe('hi');
    expect((await client.getPrompt({ name: 'greet', arguments: { who: 'x' } })).messages).toHaveLength(1);
    expect((await client.readResource({ uri: 'test://item/9' })).contents[0]).toMatchObject({ text: '{"id":"9"}' });
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
    const argument = { name: 'who', value: 'p' };
    const completed = await client.complete({ ref: { type: 'ref/prompt', name: 'greet' }, argument });
    expect(completed.completion.values).toHaveLength(3);
    expect(await client.ping()).toEqual({});
  });

  test('errors come with the numbers of the legacy era', async () => {
    expect(await client.callTool({ name: 'fail', arguments: {} })).toMatchObject({ isError: true });
    await expect(client.callTool({ name: 'error', arguments: {} })).rejects.toThrow('broken on purpose');
    await expect(client.callTool({ name: 'no_such_tool', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    await expect(client.readResource({ uri: 'test://none' })).rejects.toThrow('resource not found');
    await expect(client.getPrompt({ name: 'none' })).rejects.toMatchObject({ code: -32602 });
  });

  test('progress comes under the token of the client', async () => {
    const seen: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => void seen.push(progress);
    const call = { name: 'progress', arguments: { steps: 3 } };
    // the two generations take the options in different places
    if (generation === 'SDK v1') await (client as ClientV1).callTool(call, undefined, { onprogress });
    else await (client as Client).callTool(call, { onprogress });
    expect(seen).toEqual([1, 2, 3]);
  });

  test('a line is logged once the client asked for lines', async () => {
    const lines: unknown[] = [];
    client.fallbackNotificationHandler = async ({ method, params }) => {
      if (method === 'notifications/message') lines.push(params);
    };
    await client.callTool({ name: 'log', arguments: { message: 'too early' } });
    await client.setLoggingLevel('info');
    await client.callTool({ name: 'log', arguments: { message: 'a line' } });
    await expect.poll(() => lines).toMatchObject([{ level: 'info', data: 'a line' }]);
    await client.setLoggingLevel('error');
    await client.callTool({ name: 'log', arguments: { message: 'not this one' } });
    expect(lines).toHaveLength(1);
  });

  test('a cancelled call is cancelled at the server', async () => {
    const abort = new AbortController();
    const { signal } = abort;
    const call =
      generation === 'SDK v1'
        ? (client as ClientV1).callTool({ name: 'hold', arguments: {} }, undefined, { signal })
        : (client as Client).callTool({ name: 'hold', arguments: {} }, { signal });
    await upstream.untilHeld(1);
    abort.abort('enough');
    await expect(call).rejects.toThrow();
    await expect.poll(() => upstream.held).toBe(0);
  });

  test('changed lists and watched resources are told', async () => {
    const told: [string, unknown][] = [];
    client.fallbackNotificationHandler = async ({ method, params }) => void told.push([method, params]);
    await client.subscribeResource({ uri: 'test://text' });
    const updated = async () => {
      await upstream.updateResource('test://text');
      return told;
    };
    await expect.poll(updated).toContainEqual(['notifications/resources/updated', { uri: 'test://text' }]);

    await client.unsubscribeResource({ uri: 'test://text' });
    const afterUpdate = async () => {
      told.length = 0;
      await upstream.updateResource('test://text');
      await client.callTool({ name: 'change_tools', arguments: {} });
      await expect.poll(() => told.map(([method]) => method)).toContain('notifications/tools/list_changed');
      return told.map(([method]) => method);
    };
    await expect.poll(afterUpdate).toEqual(['notifications/tools/list_changed']);
  });
});

test('what goes upstream is a modern request in the name of the client, and nothing of the session', async () => {
  const client = await connectClientV1(url, token);
  await client.callTool({ name: 'echo', arguments: { text: 'x' } });
  await client.close();
  const [sent] = upstream.requestsOf('tools/call').slice(-1);
  expect(sent?.headers).toMatchObject({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'echo',
  });
  expect(sent?.headers).not.toHaveProperty('mcp-session-id');
  expect(sent?.headers).not.toHaveProperty('authorization');
  expect(sent?.params?.['_meta']).toMatchObject({
    [`${META}protocolVersion`]: '2026-07-28',
    [`${META}clientInfo`]: { name: 'test-client' },
    [`${META}clientCapabilities`]: { sampling: {}, elicitation: {}, roots: {} },
  });
  expect(upstream.requestsOf('initialize').every(({ params }) => params?.['clientInfo'] !== undefined)).toBe(true);
});

/** The subscriptions opened for clients of this name; the gateway has one of its own. */
const listensFor = (client: string) =>
  upstream.requestsOf('subscriptions/listen').filter(({ params }) => {
    const meta = params?.['_meta'] as Readonly<Record<string, { readonly name?: string }>> | undefined;
    return meta?.[`${META}clientInfo`]?.name === client;
  });

const initialize = async (address: string, capabilities: object = {}) => {
  const params = { protocolVersion: '2025-06-18', capabilities, clientInfo: { name: 'curl', version: '1' } };
  const answer = await postMessage(address, token, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
  const { result } = (await answer.json()) as { result: Record<string, unknown> };
  const session = answer.headers.get('mcp-session-id') ?? '';
  return { result, headers: { 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' } };
};

test('the revision is the one the client asked for', async () => {
  expect((await initialize(url)).result).toMatchObject({ protocolVersion: '2025-06-18' });
});

test('a caller without a session is served, and asked nothing', async () => {
  const call = (name: string, args: object) =>
    postMessage(url, token, { jsonrpc: '2.0', id: 'a', method: 'tools/call', params: { name, arguments: args } });
  const answer = await call('echo', { text: 'plain' });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('"plain"');
  const asked = await call('sample', { prompt: 'x' });
  expect(asked.status).toBe(200);
  const text = await asked.text();
  expect(text).toContain('-32021');
  expect(text).toContain('"id":"a"');
});

test('a method the server does not know is no lost session', async () => {
  const { headers } = await initialize(url);
  for (const method of ['no/such', 'server/discover', 'subscriptions/listen', 'tasks/list']) {
    const answer = await postMessage(url, token, { jsonrpc: '2.0', id: 9, method }, headers);
    expect(answer.status, method).toBe(200);
    expect(await answer.json()).toMatchObject({ id: 9, error: { code: -32601 } });
  }
});

test('wrong parameters of what is answered here are refused with their number', async () => {
  const { headers } = await initialize(url);
  const refusals = [
    ['logging/setLevel', { level: 'loud' }],
    ['logging/setLevel', {}],
    ['resources/subscribe', {}],
    ['resources/subscribe', { uri: 'x'.repeat(3_000) }],
  ] as const;
  for (const [method, params] of refusals) {
    const answer = await postMessage(url, token, { jsonrpc: '2.0', id: 9, method, params }, headers);
    expect(await answer.json()).toMatchObject({ id: 9, error: { code: -32602 } });
  }
});

// at once: other instances hear of it within five seconds
test('DELETE ends what the session has under way: its stream, and its calls upstream', { timeout: 4_000 }, async () => {
  const { headers } = await initialize(url);
  const before = listensFor('curl').length;
  const authorization = `Bearer ${token}`;
  const stream = await fetch(url, { headers: { ...headers, authorization, accept: 'text/event-stream' } });
  expect(stream.status).toBe(200);
  await expect.poll(() => listensFor('curl').length).toBe(before + 1);
  const params = { name: 'hold', arguments: {} };
  const call = postMessage(url, token, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers);
  await upstream.untilHeld(1);
  expect((await fetch(url, { method: 'DELETE', headers: { ...headers, authorization } })).status).toBe(204);
  expect(await stream.text()).not.toContain('data:');
  expect(await (await call).text()).not.toContain('result');
  await expect.poll(() => upstream.held).toBe(0);
});

test('a stream that breaks upstream is opened again, and the caller keeps its own', async () => {
  const listens = () => listensFor('test-client').length;
  const before = listens();
  const client = await connectClientV1(url, token);
  const told: string[] = [];
  client.fallbackNotificationHandler = async ({ method }) => void told.push(method);
  await expect.poll(listens).toBe(before + 1);
  upstream.dropConnections();
  await expect.poll(listens, { timeout: 5_000 }).toBe(before + 2);
  const changed = async () => {
    await client.callTool({ name: 'change_tools', arguments: {} });
    return told;
  };
  await expect.poll(changed).toContain('notifications/tools/list_changed');
  await client.close();
});

test('a resource that is not there has the number it had', async () => {
  const { headers } = await initialize(url);
  const message = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'test://none' } };
  const answer = await postMessage(url, token, message, headers);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('"code":-32002');
});
