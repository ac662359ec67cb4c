import { afterEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { ENVELOPE } from '../support/scripted-server.ts';

const MEGABYTE = 1024 * 1024;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function start(...names: readonly string[]): Promise<{ gateway: TestGateway; upstreams: McpUpstream[] }> {
  const gateway = await startGateway();
  open.push(gateway);
  const upstreams = [];
  for (const name of names) {
    const upstream = await startMcpUpstream({ name, era: 'modern' });
    open.push(upstream);
    upstreams.push(upstream);
    await gateway.register({ name, url: upstream.url });
  }
  return { gateway, upstreams };
}

test('what a server tells before all others have agreed to a subscription is not piled up', async () => {
  const { gateway, upstreams } = await start('loud', 'mute');
  const [loud, mute] = upstreams;
  const left = new AbortController();
  const message = {
    jsonrpc: '2.0',
    method: 'notifications/message',
    params: { level: 'info', data: 'x'.repeat(65_536) },
  };
  const chunk = new TextEncoder().encode(`data: ${JSON.stringify(message)}\n\n`);
  let toldBytes = 0;
  const flood = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise(setImmediate);
      toldBytes += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const isOurs = (params: unknown) => JSON.stringify(params).includes('test://text');
  if (loud && mute) {
    loud.intercept = ({ rpcMethod, params }) =>
      rpcMethod === 'subscriptions/listen' && isOurs(params)
        ? new Response(flood, { headers: { 'content-type': 'text/event-stream' } })
        : undefined;
    mute.intercept = ({ rpcMethod }) =>
      rpcMethod === 'subscriptions/listen' ? new Promise(() => undefined) : undefined;
  }
  const notifications = { resourceSubscriptions: ['test://text'] };
  const response = await postMessage(
    `${gateway.url}/mcp`,
    await gateway.token('ann'),
    { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params: { notifications, _meta: ENVELOPE } },
    { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' },
    left.signal,
  );
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('acknowledged')) text += (await reader?.read())?.value ?? '';
  expect(toldBytes).toBeGreaterThan(0);
  // what the buffers of two sockets and of the streams between them take
  expect(toldBytes).toBeLessThan(16 * MEGABYTE);
  left.abort();
});
