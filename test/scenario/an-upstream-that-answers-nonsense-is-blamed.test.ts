/** What an upstream got wrong is told as its fault, with a code and status 200; it is never our 500, never a lost session. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let upstream: McpUpstream;
let gateway: TestGateway;
let token: string;

beforeEach(async () => {
  upstream = await startMcpUpstream();
  gateway = await startGateway();
  token = await gateway.token('ann');
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const PATHS = [
  ['/mcp', 'up_echo'],
  ['/servers/up/mcp', 'echo'],
] as const;
const call = async (path: string, name: string) => {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { text: 'x' } } };
  const answer = await postMessage(gateway.url + path, token, message);
  return { status: answer.status, body: JSON.parse(await answer.text()) as unknown };
};
const failing = (code: string) => ({ status: 200, body: { id: 1, error: { data: { code } } } });

describe.each(PATHS)('a call without a session to %s', (path, name) => {
  test.each([
    ['a page', () => new Response('<h1>hello</h1>', { headers: { 'content-type': 'text/html' } })],
    ['a page that says 400', () => new Response('bad request', { status: 400 })],
    [
      'JSON that is cut short',
      () => new Response('{"jsonrpc":"2.0","id":', { headers: { 'content-type': 'application/json' } }),
    ],
  ])('answered with %s is a fault of the upstream', async (_what, answer) => {
    await gateway.register({ name: 'up', url: upstream.url });
    upstream.intercept = ({ rpcMethod }) => (rpcMethod === 'tools/call' ? answer() : undefined);
    expect(await call(path, name)).toMatchObject(failing('upstream_protocol'));
  });

  test('whose session the upstream refuses with 500 says so with status 200', async () => {
    await gateway.register({ name: 'up', url: upstream.url });
    // the session the gateway has is gone, and it gets no other
    await upstream.loseSessions();
    upstream.intercept = ({ rpcMethod }) =>
      rpcMethod === 'initialize' ? new Response('no', { status: 500 }) : undefined;
    expect(await call(path, name)).toMatchObject(failing('upstream_http_status'));
  });
});
