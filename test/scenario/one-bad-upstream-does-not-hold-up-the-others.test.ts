import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Platform } from '../../src/platform.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

/** Time limits come ten times sooner; the wall clock stays as it is. */
const hurried = (platform: Platform): Platform => ({
  ...platform,
  clock: { ...platform.clock, after: (delayMs, task) => platform.clock.after(delayMs / 10, task) },
});

let good: McpUpstream;
let bad: McpUpstream;
let gateway: TestGateway;
beforeEach(async () => {
  [good, bad] = await Promise.all([startMcpUpstream(), startMcpUpstream()]);
  gateway = await startGateway({ wrapPlatform: hurried });
  await gateway.register({ name: 'good', url: good.url });
  await gateway.register({ name: 'bad', url: bad.url });
});
afterEach(async () => {
  await gateway.close();
  await Promise.all([good.close(), bad.close()]);
});

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };

async function answerOf(method: string, params: object, headers: Record<string, string> = {}) {
  const message = { jsonrpc: '2.0', id: 1, method, params };
  const response = await postMessage(`${gateway.url}/mcp`, await gateway.token('ann'), message, headers);
  return { sessionId: response.headers.get('mcp-session-id'), text: await response.text() };
}

const endless = (type: string) =>
  new Response(new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(':\n\n')) }), {
    headers: { 'content-type': type },
  });

test.each(['text/event-stream', 'application/json'])(
  'a member whose %s never ends is left out after a while',
  async (type) => {
    bad.intercept = () => endless(type);
    const modern = { 'mcp-protocol-version': '2026-07-28' };
    const answers = await Promise.all([
      answerOf('tools/list', {}),
      answerOf('initialize', INITIALIZE),
      answerOf('tools/list', { _meta: META }, { ...modern, 'mcp-method': 'tools/list' }),
      answerOf('server/discover', { _meta: META }, { ...modern, 'mcp-method': 'server/discover' }),
    ]);
    for (const { text } of answers) expect(text).toContain('"result"');
  },
);

const initialized = (protocolVersion: unknown, headers: Record<string, string>) =>
  Response.json({ jsonrpc: '2.0', id: 1, result: { protocolVersion, capabilities: {} } }, { headers });

test.each([
  ['a session id of 12,000 characters', () => initialized('2025-11-25', { 'mcp-session-id': 's'.repeat(12_000) })],
  ['a protocol version of 50,000 characters', () => initialized('v'.repeat(50_000), {})],
  ['a protocol version that is no text', () => initialized({ toString: 0 }, {})],
  ['a protocol version with a line break', () => initialized('2025\r\nx-evil: 1', {})],
] as const)('a member that answers initialize with %s is left out of the session', async (_what, answer) => {
  bad.intercept = ({ rpcMethod }) => (rpcMethod === 'initialize' ? answer() : undefined);
  const { sessionId, text } = await answerOf('initialize', INITIALIZE);
  expect(text).toContain('"result"');
  expect(sessionId?.length).toBeLessThan(2_000);
  const listed = await answerOf('tools/list', {}, { 'mcp-session-id': sessionId ?? '' });
  expect(listed.text).toContain('good_echo');
});
