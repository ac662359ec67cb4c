import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let upstream: McpUpstream;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  upstream = await startMcpUpstream({});
  gateway = await startGateway();
  await gateway.register({ name: 'plain', url: upstream.url });
  token = await gateway.token('ann');
});

afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const listen = {
  jsonrpc: '2.0',
  id: 'sub',
  method: 'subscriptions/listen',
  params: { notifications: { toolsListChanged: true }, _meta: envelope },
};
const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };

async function openStream(path: string): Promise<Response> {
  const opened = await postMessage(gateway.url + path, token, initialize);
  const session = opened.headers.get('mcp-session-id') ?? '';
  await opened.text();
  return fetch(gateway.url + path, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'mcp-session-id': session },
  });
}

test('streams without an end of their own end when a stop begins, in both eras, and the process is not held up', async () => {
  const streams = [
    await openStream('/servers/plain/mcp'),
    await openStream('/mcp'),
    await postMessage(`${gateway.url}/mcp`, token, listen, modern),
  ];
  for (const { status, headers } of streams)
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const relayed = await postMessage(`${gateway.url}/servers/plain/mcp`, token, listen, modern);
  gateway.gateway.beginDrain();
  expect(await relayed.text()).toMatch(/"id":"sub","error":.*"code":"shutting_down"/);
  const [, , subscription] = await Promise.all(streams.map((stream) => stream.text()));
  expect(subscription).toContain('"notifications/subscriptions/acknowledged"');
  expect(subscription).toContain('"id":"sub","result":{"resultType":"complete"');
});

test('a probe may come under any address; other requests may not', async () => {
  const { hostname, port } = new URL(gateway.url);
  const { request } = await import('node:http');
  const statusOf = (path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ hostname, port, path, headers: { host: '10.0.0.5:4444' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  expect([await statusOf('/health'), await statusOf('/ready'), await statusOf('/mcp')]).toEqual([200, 503, 403]);
});
