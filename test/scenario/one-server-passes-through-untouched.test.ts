import { afterAll, beforeAll, expect, test } from 'vitest';
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
  upstream = await startMcpUpstream({ instructions: 'be kind' });
  gateway = await startGateway();
  await gateway.register({ name: 'plain', url: upstream.url });
  token = await gateway.token('ann');
  url = `${gateway.url}/servers/plain/mcp`;
});

afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

for (const era of ['legacy', 'modern'] as const) {
  test(`${era}: progress, logging, sampling and elicitation reach the client`, async () => {
    const client = await connectClient(url, token, era);
    const seen: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => void seen.push(progress);
    await client.callTool({ name: 'progress', arguments: { steps: 3 } }, { onprogress });
    expect(seen).toEqual([1, 2, 3]);
    expect(textOf(await client.callTool({ name: 'sample', arguments: { prompt: 'hi' } }))).toBe('sampled: sampled');
    expect(textOf(await client.callTool({ name: 'elicit', arguments: { message: 'who' } }))).toBe(
      'accept: {"name":"Ann"}',
    );
    await client.close();
  });

  test(`${era}: a cancelled call is cancelled at the upstream`, async () => {
    const client = await connectClient(url, token, era);
    const abort = new AbortController();
    const call = client.callTool({ name: 'hold', arguments: {} }, { signal: abort.signal });
    await upstream.untilHeld(1);
    abort.abort('enough');
    await expect(call).rejects.toThrow();
    await expect.poll(() => upstream.held).toBe(0);
    await client.close();
  });

  test(`${era}: tool errors and protocol errors come as the upstream gave them`, async () => {
    const client = await connectClient(url, token, era);
    expect(await client.callTool({ name: 'fail', arguments: {} })).toMatchObject({ isError: true });
    await expect(client.callTool({ name: 'error', arguments: {} })).rejects.toThrow('broken on purpose');
    await expect(client.callTool({ name: 'no_such_tool', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });
}

test('the client sees the name, the instructions and the capabilities of the server itself', async () => {
  const client = await connectClient(url, token, 'legacy');
  expect(client.getServerVersion()).toMatchObject({ name: 'fixture' });
  expect(client.getInstructions()).toBe('be kind');
  expect(client.getServerCapabilities()).toMatchObject({ logging: {}, resources: { subscribe: true } });
  await client.close();
});

test('a changed tool list is announced on the session stream', async () => {
  const client = await connectClientV1(url, token);
  const { promise: announced, resolve } = Promise.withResolvers<void>();
  client.fallbackNotificationHandler = async ({ method }) => {
    if (method === 'notifications/tools/list_changed') resolve();
  };
  await client.callTool({ name: 'change_tools', arguments: {} });
  await announced;
  await client.close();
});

test('logging: the level goes up, the line comes down', async () => {
  const client = await connectClientV1(url, token);
  await client.setLoggingLevel('info');
  const lines: unknown[] = [];
  client.fallbackNotificationHandler = async ({ params }) => void lines.push(params);
  await client.callTool({ name: 'log', arguments: { message: 'a line' } });
  await expect.poll(() => lines).toMatchObject([{ level: 'info', data: 'a line' }]);
  await client.close();
});

test('an upstream that lost its sessions is initialized again, and the call is made once', async () => {
  const client = await connectClient(url, token, 'legacy');
  await client.callTool({ name: 'echo', arguments: { text: 'before' } });
  await upstream.loseSessions();
  upstream.requests.length = 0;
  expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'after' } }))).toBe('after');
  expect(upstream.requestsOf('initialize')).toHaveLength(1);
  expect(upstream.requestsOf('initialize')[0]?.params).toMatchObject({
    clientInfo: { name: 'test-client' },
    capabilities: { sampling: {} },
  });
  await client.close();
});

test('an ended session is gone here, and ended at the upstream', async () => {
  const initialized = await postMessage(url, token, initialize);
  const headers = { 'mcp-session-id': initialized.headers.get('mcp-session-id') ?? '' };
  const before = upstream.sessions;
  const ended = await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${token}`, ...headers } });
  expect(ended.status).toBe(204);
  expect(upstream.sessions).toBe(before - 1);
  const answer = await postMessage(url, token, { jsonrpc: '2.0', id: 7, method: 'ping' }, headers);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ id: 7, error: { code: -32001, data: { code: 'session_not_found' } } });
});

test('a session of one caller is no use to another', async () => {
  const initialized = await postMessage(url, token, initialize);
  const headers = { 'mcp-session-id': initialized.headers.get('mcp-session-id') ?? '' };
  const answer = await postMessage(url, await gateway.token('bob'), { jsonrpc: '2.0', id: 1, method: 'ping' }, headers);
  expect(answer.status).toBe(404);
});

test('what the gateway keeps to itself: credentials, cookies and hop headers of the caller', async () => {
  upstream.requests.length = 0;
  await postMessage(url, token, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { cookie: 'a=b', 'x-custom': 'c' });
  for (const { headers } of upstream.requests) {
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
    expect(headers).not.toHaveProperty('x-custom');
  }
  expect(upstream.requests).not.toHaveLength(0);
});

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'curl', version: '1' } },
};
