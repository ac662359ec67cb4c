import type { Client, SubscriptionFilter } from '@modelcontextprotocol/client';
import { afterEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream, McpUpstreamOptions } from '../support/mcp-upstream.ts';
import { modernCaller } from '../support/modern-caller.ts';

let gateway: TestGateway;
let upstreams: McpUpstream[] = [];

afterEach(async () => {
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
  upstreams = [];
});

async function start(...all: readonly McpUpstreamOptions[]): Promise<McpUpstream[]> {
  gateway = await startGateway();
  for (const options of all) {
    const upstream = await startMcpUpstream(options);
    upstreams.push(upstream);
    await gateway.register({ name: options.name, url: upstream.url });
  }
  return upstreams;
}

interface Listener {
  readonly client: Client;
  /** The URI of an update, or the method of what changed, in order. */
  readonly heard: string[];
  until(count: number): Promise<void>;
  readonly granted: SubscriptionFilter;
  stop(): Promise<void>;
}

async function listen(path: string, filter: SubscriptionFilter): Promise<Listener> {
  const client = await connectClient(gateway.url + path, await gateway.token('ann'), 'modern');
  const heard: string[] = [];
  const waiting = new Set<() => void>();
  const hear = (what: string): void => {
    heard.push(what);
    for (const look of waiting) look();
  };
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => hear(params.uri));
  client.setNotificationHandler('notifications/tools/list_changed', ({ method }) => hear(method));
  const subscription = await client.listen(filter);
  return {
    client,
    heard,
    granted: subscription.honoredFilter,
    until: (count) =>
      new Promise((resolve) => {
        const look = (): void => void (heard.length >= count && resolve());
        waiting.add(look);
        look();
      }),
    stop: async () => {
      await subscription.close();
      await client.close();
    },
  };
}

const EVERYTHING = { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['test://text'] };

for (const options of [{ era: 'legacy' }, { transport: 'sse' }] as const)
  test(`over ${'era' in options ? 'Streamable HTTP' : 'HTTP+SSE'} a listener hears what it watches`, async () => {
    const [upstream] = await start({ name: 'old', ...options });
    const before = upstream?.sessions ?? 0;
    const listener = await listen('/servers/old/mcp', EVERYTHING);
    // the server has prompts, but does not tell when they change
    expect(listener.granted).toEqual({ toolsListChanged: true, resourceSubscriptions: ['test://text'] });
    expect(upstream?.requestsOf('resources/subscribe')).toMatchObject([{ params: { uri: 'test://text' } }]);
    await upstream?.updateResource('test://binary');
    await upstream?.updateResource('test://text');
    await listener.until(1);
    await modernCaller(`${gateway.url}/servers/old/mcp`, await gateway.token('bob')).ask('tools/call', {
      name: 'change_tools',
    });
    await listener.until(2);
    expect(listener.heard).toEqual(['test://text', 'notifications/tools/list_changed']);
    await listener.stop();
    await upstream?.untilSessions(before);
    if ('era' in options) expect(upstream?.requestsOf('resources/unsubscribe')).toHaveLength(1);
  });

test('two listeners have subscriptions of their own', async () => {
  const [upstream] = await start({ name: 'old', era: 'legacy' });
  const one = await listen('/servers/old/mcp', { resourceSubscriptions: ['test://text'] });
  const two = await listen('/servers/old/mcp', { resourceSubscriptions: ['test://binary'] });
  await upstream?.updateResource('test://text');
  await upstream?.updateResource('test://binary');
  await Promise.all([one.until(1), two.until(1)]);
  await one.stop();
  await upstream?.updateResource('test://binary');
  await two.until(2);
  expect([one.heard, two.heard]).toEqual([['test://text'], ['test://binary', 'test://binary']]);
  await two.stop();
});

test('a server without a stream of its own promises nothing', async () => {
  await start({ name: 'old', era: 'legacy', legacySessions: false });
  const listener = await listen('/servers/old/mcp', EVERYTHING);
  expect(listener.granted).toEqual({});
  await listener.stop();
});

test('behind one address servers of both eras are heard', async () => {
  const [old, modern] = await start({ name: 'old', era: 'legacy' }, { name: 'new', era: 'modern' });
  const members = [{ gateway: 'old', resources: ['test://text'] }, { gateway: 'new' }];
  await gateway.api('POST', '/v1/servers', { name: 'Both', members });
  const resourceSubscriptions = ['test://text', 'test://binary'];
  const listener = await listen('/servers/both/mcp', { resourceSubscriptions });
  expect(listener.granted).toEqual({ resourceSubscriptions: expect.arrayContaining(resourceSubscriptions) as unknown });
  await old?.updateResource('test://text');
  await listener.until(1);
  await modern?.updateResource('test://binary');
  await listener.until(2);
  await listener.stop();
});

test('a stop ends the stream, and the session behind it', async () => {
  const [upstream] = await start({ name: 'old', era: 'legacy' });
  const listener = await listen('/servers/old/mcp', { resourceSubscriptions: ['test://text'] });
  gateway.gateway.beginDrain();
  await upstream?.untilSessions(1);
  await listener.client.close();
});
