/** A caller whose answer breaks off learns so at once, and why, instead of waiting until its own patience ends. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { bare, modern, openCallers } from '../support/callers.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let upstream: McpUpstream;
let gateway: TestGateway;
beforeEach(async () => {
  upstream = await startMcpUpstream();
  gateway = await startGateway();
  await gateway.register({ name: 'up', url: upstream.url });
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const PROGRESS = 'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n';

/** The upstream answers calls with `events`, and then hangs up. */
function breakOffAfter(events: string): void {
  upstream.intercept = ({ rpcMethod }) => {
    if (rpcMethod !== 'tools/call') return undefined;
    const left = [events];
    const body = new ReadableStream({
      pull(controller) {
        const next = left.shift();
        if (next === undefined) upstream.dropConnections();
        else controller.enqueue(new TextEncoder().encode(next));
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
}

test.each([
  ['a modern caller of one server', modern('/servers/up/mcp', 'echo')],
  ['a modern caller of all servers', modern('/mcp', 'up_echo')],
  ['a legacy caller of one server', bare('/servers/up/mcp', 'echo')],
  ['a legacy caller of all servers', bare('/mcp', 'up_echo')],
])('%s gets an error with the id of its request', async (_who, route) => {
  breakOffAfter(PROGRESS);
  const callers = openCallers(gateway.url, await gateway.token('ann'), 1);
  await expect(callers.call(route, 'x')).rejects.toThrow(/"id":1,"error":.*"code":"connection_lost"/);
  await callers.close();
});

test('one that can be resumed breaks off as it is, for its caller to resume it', async () => {
  breakOffAfter(`id: 1\ndata:\n\n${PROGRESS}`);
  const callers = openCallers(gateway.url, await gateway.token('ann'), 1);
  const route = await callers.session('/servers/up/mcp', 'echo');
  await expect(callers.call(route, 'x')).rejects.toThrow(/terminated|closed|aborted/);
  await callers.close();
});
