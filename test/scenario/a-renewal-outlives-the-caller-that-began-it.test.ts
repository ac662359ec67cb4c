import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';

const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
const message = (method: string, params: object) => ({ jsonrpc: '2.0', id: 5, method, params });

test('a request waits for a renewal that another request began, also when that one leaves', async () => {
  const upstream = await startMcpUpstream();
  const gateway = await startGateway();
  try {
    await gateway.register({ name: 'up', url: upstream.url });
    const url = `${gateway.url}/servers/up/mcp`;
    const token = await gateway.token('ann');
    const opened = await postMessage(url, token, message('initialize', INITIALIZE));
    await opened.text();
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    await upstream.loseSessions();

    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let refused = 0;
    const bothRefused = Promise.withResolvers<void>();
    upstream.intercept = async ({ rpcMethod, headers }) => {
      if (rpcMethod === 'tools/call' && headers['mcp-session-id'] && ++refused === 2) bothRefused.resolve();
      if (rpcMethod !== 'initialize') return undefined;
      reached.resolve();
      await gate.promise;
      return undefined;
    };
    const call = message('tools/call', { name: 'echo', arguments: { text: 'q' } });
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...session };
    const first = fetch(url, { method: 'POST', headers, body: JSON.stringify(call), signal: leaving.signal });
    await reached.promise;
    const second = postMessage(url, token, call, session);
    await bothRefused.promise;
    leaving.abort();
    await expect(first).rejects.toThrow();
    gate.resolve();
    expect(await (await second).text()).toContain('"q"');
  } finally {
    await gateway.close();
    await upstream.close();
  }
});
