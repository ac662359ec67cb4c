/** A legacy session in front of servers that know none, over replicas of which each request meets the next. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEverything } from '../support/everything/everything.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { connectClient, connectClientV1, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { startReplicas } from '../support/replicas.ts';
import type { Replicas } from '../support/replicas.ts';

let asking: FetchServer;
let plain: McpUpstream;
let replicas: Replicas;
let token: string;

beforeAll(async () => {
  asking = await startEverything('modern');
  plain = await startMcpUpstream({ era: 'modern' });
  replicas = await startReplicas(3, [
    { name: 'asking', url: asking.url },
    { name: 'plain', url: plain.url },
  ]);
  token = (await replicas.gateways[0]?.token('ann')) ?? '';
});
afterAll(async () => {
  await replicas.close();
  await asking.close();
  await plain.close();
});

test('what a server asks in several rounds is answered wherever the answer comes in', async () => {
  const client = await connectClient(`${replicas.url}/servers/asking/mcp`, token, 'legacy');
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ann', color: 'blue' } }));
  for (let call = 0; call < 3; call++)
    expect(textOf(await client.callTool({ name: 'test_input_required_result_multi_round', arguments: {} }))).toBe(
      'Ann likes blue',
    );
  for (const count of replicas.counts) expect(count).toBeGreaterThan(3);
  await client.close();
});

// a replica looks at most every five seconds whether another one changed a session
test('the level and the subscriptions of a session reach every replica', { timeout: 30_000 }, async () => {
  const client = await connectClientV1(`${replicas.url}/servers/plain/mcp`, token);
  let told: string[] = [];
  client.fallbackNotificationHandler = async ({ method }) => void told.push(method);
  await client.setLoggingLevel('info');
  await client.subscribeResource({ uri: 'test://text' });
  const heard = async () => {
    told = [];
    await plain.updateResource('test://text');
    for (let call = 0; call < 3; call++) await client.callTool({ name: 'log', arguments: { message: 'a line' } });
    return told.toSorted();
  };
  await expect
    .poll(heard, { timeout: 25_000, interval: 500 })
    .toEqual([...Array<string>(3).fill('notifications/message'), 'notifications/resources/updated']);
  await client.close();
});
