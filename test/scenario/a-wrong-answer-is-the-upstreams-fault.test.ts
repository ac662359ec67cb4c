import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
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

const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS = { 'content-type': 'text/event-stream' };
const CALL = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', arguments: { text: 'q' } } };

async function call(headers: Record<string, string> = {}) {
  const token = await gateway.token('ann');
  const response = await postMessage(`${gateway.url}/servers/up/mcp`, token, CALL, headers);
  return { status: response.status, text: await response.text() };
}

test.each([
  ['204 with a JSON type', () => new Response(null, { status: 204, headers: JSON_TYPE })],
  ['202 with a JSON type', () => new Response('', { status: 202, headers: JSON_TYPE })],
  ['400 in plain text', () => new Response('Bad Request', { status: 400 })],
  ['JSON null', () => new Response('null', { headers: JSON_TYPE })],
  ['half a JSON text', () => new Response('{"jsonrpc":"2.0","id":1,"res', { headers: JSON_TYPE })],
  ['an event that is no JSON', () => new Response('data: not json\n\n', { headers: EVENTS })],
  ['an event that is null', () => new Response('data: null\n\n', { headers: EVENTS })],
])('%s reaches a caller without a session as an answer, and is no failure of the gateway', async (_what, answer) => {
  upstream.intercept = ({ rpcMethod }) => (rpcMethod === 'tools/call' ? answer() : undefined);
  const { status, text } = await call();
  expect(status).toBeLessThan(500);
  expect(text).not.toContain('"internal"');
  expect(gateway.countOf('request.failed')).toBe(0);
});

test('a 404 with a long page is a lost session like any other', async () => {
  let lost = true;
  upstream.intercept = ({ rpcMethod }) => {
    if (rpcMethod !== 'tools/call' || !lost) return undefined;
    lost = false;
    return new Response('x'.repeat(100_000), { status: 404, headers: { 'content-type': 'text/html' } });
  };
  expect((await call()).text).toContain('"q"');
});
