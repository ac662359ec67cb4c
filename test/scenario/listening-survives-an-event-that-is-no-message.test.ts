import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const LISTEN = {
  jsonrpc: '2.0',
  id: 'sub',
  method: 'subscriptions/listen',
  params: { notifications: { resourceSubscriptions: ['test://text'] }, _meta: META },
};
const HEADERS = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };

test('what an upstream says after rubbish still reaches the caller', async () => {
  const upstream = await startMcpUpstream();
  const gateway = await startGateway();
  try {
    await gateway.register({ name: 'up', url: upstream.url });
    const updated = '{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"test://text"}}';
    upstream.intercept = ({ rpcMethod }) =>
      rpcMethod === 'subscriptions/listen'
        ? new Response(`data: rubbish\n\ndata: null\n\ndata: ${updated}\n\n`, {
            headers: { 'content-type': 'text/event-stream' },
          })
        : undefined;
    const text = await (await postMessage(`${gateway.url}/mcp`, await gateway.token('ann'), LISTEN, HEADERS)).text();
    expect(text).toContain('notifications/subscriptions/acknowledged');
    expect(text).toContain(updated);
    expect(text).not.toContain('rubbish');
  } finally {
    await gateway.close();
    await upstream.close();
  }
});
