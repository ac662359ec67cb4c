import type { Client } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

const ERAS = ['legacy', 'modern'] as const;
type Era = (typeof ERAS)[number];

interface Listener {
  readonly era: Era;
  readonly client: Client;
  /** Notifications so far, in order. */
  readonly told: string[];
  readonly toolNames: () => Promise<string[]>;
}

let old: McpUpstream;
let young: McpUpstream;
let gateway: TestGateway;
let listeners: Listener[];

beforeEach(async () => {
  [old, young] = await Promise.all([startMcpUpstream({ era: 'legacy' }), startMcpUpstream({ era: 'modern' })]);
  gateway = await startGateway();
  await gateway.register({ name: 'old', url: old.url });
  await gateway.register({ name: 'young', url: young.url });
  await Promise.all([old.untilListened(), young.untilListened()]);
  listeners = await Promise.all(ERAS.map(listen));
});
afterEach(async () => {
  for (const { client } of listeners) await client.close();
  await gateway.close();
  await old.close();
  await young.close();
});

async function listen(era: Era): Promise<Listener> {
  const client = await connectClient(`${gateway.url}/mcp`, await gateway.token(era), era);
  const told: string[] = [];
  for (const kind of ['tools', 'prompts', 'resources'] as const) {
    const method = `notifications/${kind}/list_changed` as const;
    client.setNotificationHandler(method, () => void told.push(kind));
  }
  if (era === 'modern')
    await client.listen({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true });
  const toolNames = async () => (await client.listTools()).tools.map(({ name }) => name);
  await toolNames();
  return { era, client, told, toolNames };
}

/** Everyone was told exactly this so far; what comes twice shows at the next look. */
async function toldEveryone(...kinds: string[]): Promise<void> {
  await expect.poll(() => listeners.map(({ told }) => told), { timeout: 10_000 }).toEqual(listeners.map(() => kinds));
}

test('joined servers say that they tell', () => {
  for (const { client } of listeners)
    expect(client.getServerCapabilities()).toMatchObject({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
    });
});

test.each(['old', 'young'] as const)(
  'a tool that comes and goes at the %s server is told once each time',
  async (name) => {
    const [first] = listeners;
    const told: string[] = [];
    for (const isThere of [true, false, true]) {
      await first?.client.callTool({ name: `${name}_change_tools`, arguments: {} });
      await toldEveryone(...(told.push('tools'), told));
      for (const { toolNames } of listeners) expect((await toolNames()).includes(`${name}_changed`)).toBe(isThere);
    }
  },
);

test('a gateway that is registered, renamed or removed is told', async () => {
  const third = await startMcpUpstream({ toolsOnly: true });
  try {
    await gateway.register({ name: 'third', url: third.url });
    await toldEveryone('tools');
    for (const { toolNames } of listeners) expect(await toolNames()).toContain('third_echo');
    await gateway.api('PUT', '/v1/gateways/third', { prefix: '3rd_' });
    await toldEveryone('tools', 'tools');
    await gateway.api('PUT', '/v1/gateways/third', { description: 'no list shows this' });
    await gateway.api('DELETE', '/v1/gateways/old');
    // both servers have the same resources
    await toldEveryone('tools', 'tools', 'tools', 'prompts');
  } finally {
    await third.close();
  }
});

test('a caller whose upstreams tell nothing is told all the same', async () => {
  const quiet = await startMcpUpstream({ era: 'legacy', legacySessions: false });
  const alone = await startGateway();
  try {
    await alone.register({ name: 'quiet', url: quiet.url });
    const client = await connectClient(`${alone.url}/mcp`, await alone.token('ann'), 'legacy');
    const told = new Promise((resolve) => client.setNotificationHandler('notifications/tools/list_changed', resolve));
    await client.callTool({ name: 'quiet_echo', arguments: { text: 'the stream of this client stands' } });
    await quiet.untilListened(2);
    await alone.api('DELETE', '/v1/gateways/quiet');
    await told;
    await client.close();
  } finally {
    await alone.close();
    await quiet.close();
  }
});
