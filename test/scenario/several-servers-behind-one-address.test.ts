import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let first: McpUpstream;
let second: McpUpstream;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  first = await startMcpUpstream({ name: 'first', instructions: 'one' });
  second = await startMcpUpstream({ name: 'second', toolsOnly: true, pageSize: 5 });
  gateway = await startGateway();
  token = await gateway.token('ann');
});

afterAll(async () => {
  await gateway.close();
  await first.close();
  await second.close();
});

test('no gateway registered means empty lists, not an error', async () => {
  for (const era of ['legacy', 'modern'] as const) {
    const client = await connectClient(`${gateway.url}/mcp`, token, era);
    await client.close();
  }
});

test('names are prefixed and route back, in both eras; capabilities are the union', async () => {
  await gateway.register({ name: 'first', url: first.url });
  await gateway.register({ name: 'second', url: second.url, prefix: '2nd-' });
  for (const era of ['legacy', 'modern'] as const) {
    const client = await connectClient(`${gateway.url}/mcp`, token, era);
    expect(client.getServerCapabilities()).toMatchObject({ tools: {}, prompts: {}, resources: { subscribe: true } });
    expect(client.getInstructions()).toBe('first: one');
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toContain('first_echo');
    expect(names).toContain('2nd-change_tools');
    expect(textOf(await client.callTool({ name: '2nd-echo', arguments: { text: 'two' } }))).toBe('two');
    expect((await client.getPrompt({ name: 'first_greet', arguments: { who: 'x' } })).messages).toHaveLength(1);
    expect((await client.readResource({ uri: 'test://item/9' })).contents[0]).toMatchObject({ text: '{"id":"9"}' });
    const argument = { name: 'who', value: 'p' };
    const completed = await client.complete({ ref: { type: 'ref/prompt', name: 'first_greet' }, argument });
    expect(completed.completion.values).toHaveLength(3);
    await expect(client.callTool({ name: 'nobody_echo', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    await client.close();
  }
});

test('both upstreams can ask the client, and answers find their way back', async () => {
  for (const era of ['legacy', 'modern'] as const) {
    const client = await connectClient(`${gateway.url}/mcp`, token, era);
    const asked = ['first_sample', '2nd-sample'].map(async (name) =>
      textOf(await client.callTool({ name, arguments: { prompt: 'x' } })),
    );
    expect(await Promise.all(asked)).toEqual(['sampled: sampled', 'sampled: sampled']);
    await client.close();
  }
});

test('one dead upstream takes nothing from the others', async () => {
  await second.close();
  const client = await connectClient(`${gateway.url}/mcp`, token, 'legacy');
  const names = (await client.listTools()).tools.map(({ name }) => name);
  expect(names).toContain('first_echo');
  expect(names).toContain('2nd-echo');
  await expect(client.callTool({ name: '2nd-echo', arguments: {} })).rejects.toMatchObject({
    data: { code: expect.stringMatching(/tcp_refused|upstream_unavailable/) },
  });
  await client.close();
});
