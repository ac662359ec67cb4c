import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, postMessage, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let upstreams: readonly McpUpstream[];
let old: McpUpstream;
let young: McpUpstream;
let gateway: TestGateway;
let token: string;
let client: Client;

beforeAll(async () => {
  old = await startMcpUpstream({ name: 'old', era: 'legacy', toolsOnly: true, instructions: 'as ever' });
  young = await startMcpUpstream({ name: 'young', era: 'modern', instructions: 'be kind' });
  const other = await startMcpUpstream({ name: 'other', era: 'modern', toolsOnly: true });
  upstreams = [old, young, other];
  gateway = await startGateway();
  for (const [name, upstream] of Object.entries({ old, young, other }))
    await gateway.register({ name, url: upstream.url });
  token = await gateway.token('ann');
  client = await connectClient(`${gateway.url}/mcp`, token, 'legacy');
});
afterAll(async () => {
  await client.close();
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
});

test('what any of them can do, the whole can', async () => {
  expect(client.getServerCapabilities()).toMatchObject({
    tools: { listChanged: true },
    prompts: {},
    resources: { subscribe: true },
    logging: {},
  });
  expect(client.getInstructions()).toBe('old: as ever\n\nyoung: be kind');
  expect(client.getServerVersion()).toMatchObject({ name: 'postern' });
  const names = (await client.listTools()).tools.map(({ name }) => name);
  for (const prefix of ['old', 'young', 'other']) expect(names).toContain(`${prefix}_echo`);
});

test('names and resources lead to their server', async () => {
  for (const prefix of ['old', 'young', 'other'])
    expect(textOf(await client.callTool({ name: `${prefix}_echo`, arguments: { text: prefix } }))).toBe(prefix);
  expect((await client.getPrompt({ name: 'young_greet', arguments: { who: 'x' } })).messages).toHaveLength(1);
  expect((await client.readResource({ uri: 'test://item/9' })).contents[0]).toMatchObject({ text: '{"id":"9"}' });
  await expect(client.callTool({ name: 'young_nothing', arguments: {} })).rejects.toMatchObject({ code: -32602 });
});

test('servers of both eras ask at once, and each gets its own answer', async () => {
  const calls = ['old_sample', 'young_sample', 'other_sample', 'young_elicit', 'old_elicit'].map(async (name) =>
    textOf(await client.callTool({ name, arguments: { prompt: 'x', message: 'who' } })),
  );
  const accepted = 'accept: {"name":"Ann"}';
  expect(await Promise.all(calls)).toEqual([...Array(3).fill('sampled: sampled'), accepted, accepted]);
});

test('one stream tells of changes in all of them', async () => {
  const told: string[] = [];
  client.fallbackNotificationHandler = async ({ method }) => void told.push(method);
  for (const name of ['old_change_tools', 'other_change_tools']) {
    const changed = async () => {
      await client.callTool({ name, arguments: {} });
      return told.splice(0);
    };
    await expect.poll(changed).toContain('notifications/tools/list_changed');
  }
  await client.subscribeResource({ uri: 'test://text' });
  const updated = async () => {
    await young.updateResource('test://text');
    return told;
  };
  await expect.poll(updated).toContain('notifications/resources/updated');
});

test('a level counts for all of them', async () => {
  await client.setLoggingLevel('info');
  const lines: unknown[] = [];
  client.fallbackNotificationHandler = async ({ method, params }) => {
    if (method === 'notifications/message') lines.push(params);
  };
  await client.callTool({ name: 'young_log', arguments: { message: 'a line' } });
  await expect.poll(() => lines).toMatchObject([{ level: 'info', data: 'a line' }]);
  expect(young.requestsOf('logging/setLevel')).toEqual([]);
});

test('a cancelled call ends where it runs', async () => {
  for (const [prefix, upstream] of Object.entries({ old, young })) {
    const abort = new AbortController();
    const call = client.callTool({ name: `${prefix}_hold`, arguments: {} }, { signal: abort.signal });
    await upstream.untilHeld(1);
    abort.abort('enough');
    await expect(call).rejects.toThrow();
    await expect.poll(() => upstream.held).toBe(0);
  }
});

test('a caller without a session finds both', async () => {
  for (const name of ['old_echo', 'young_echo']) {
    const params = { name, arguments: { text: 'plain' } };
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
    const answer = await postMessage(`${gateway.url}/mcp`, token, message);
    expect(await answer.text()).toContain('"plain"');
  }
});

test('one that is gone takes nothing from the others', async () => {
  await young.close();
  const later = await connectClient(`${gateway.url}/mcp`, token, 'legacy');
  expect(textOf(await later.callTool({ name: 'other_echo', arguments: { text: 'still' } }))).toBe('still');
  expect(textOf(await later.callTool({ name: 'old_echo', arguments: { text: 'here' } }))).toBe('here');
  await expect(later.callTool({ name: 'young_echo', arguments: {} })).rejects.toMatchObject({
    data: { code: expect.stringMatching(/tcp_refused|upstream_unavailable/) },
  });
  await later.close();
});
