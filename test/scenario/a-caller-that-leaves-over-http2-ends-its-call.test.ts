import { connect, constants } from 'node:http2';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'hold', arguments: {}, _meta: META } };

test.each(['resets its stream', 'closes its connection'])('a caller that %s ends the call behind it', async (how) => {
  const upstream = await startMcpUpstream();
  const gateway = await startGateway();
  const session = connect(gateway.url).on('error', () => undefined);
  try {
    await gateway.register({ name: 'up', url: upstream.url });
    const call = session
      .request({
        ':method': 'POST',
        ':path': '/servers/up/mcp',
        authorization: `Bearer ${await gateway.token('ann')}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'hold',
      })
      .on('error', () => undefined);
    call.end(JSON.stringify(CALL));
    await upstream.untilHeld(1);
    if (how === 'resets its stream') call.close(constants.NGHTTP2_CANCEL);
    else session.destroy();
    while (upstream.held > 0) await new Promise(setImmediate);
    const calls = gateway.events.filter(({ name }) => name === 'call.finished').map(({ fields }) => fields);
    expect(calls.at(-1)).toMatchObject({ method: 'tools/call', outcome: 'call_cancelled' });
  } finally {
    session.destroy();
    await gateway.close();
    await upstream.close();
  }
});
