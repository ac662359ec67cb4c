import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let upstreams: McpUpstream[];
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  gateway = await startGateway();
  token = await gateway.token('ann');
  upstreams = await Promise.all([startMcpUpstream({ era: 'legacy' }), startMcpUpstream({ era: 'modern' })]);
  const [legacy, modern] = upstreams;
  await gateway.register({ name: 'old', url: legacy?.url });
  await gateway.register({ name: 'new', url: modern?.url });
});

afterAll(async () => {
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
});

const refusal = { error: { code: -32022, data: { code: 'protocol_version_unsupported' } } };

test('an initialize, or a bare request, to a server of the modern era only', async () => {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'curl', version: '1' } };
  for (const message of [{ method: 'initialize', params }, { method: 'tools/list' }]) {
    const answer = await postMessage(`${gateway.url}/servers/new/mcp`, token, { jsonrpc: '2.0', id: 1, ...message });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ id: 1, ...refusal });
  }
});

test('a modern request to a server of the legacy era only says which versions would do', async () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const message = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: { _meta: meta } };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
  const answer = await postMessage(`${gateway.url}/servers/old/mcp`, token, message, headers);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ id: 2, ...refusal });
});

test('behind one address each client sees the servers of its own era', async () => {
  for (const [era, prefix, missing] of [
    ['legacy', 'old_', 'new_'],
    ['modern', 'new_', 'old_'],
  ] as const) {
    const client = await connectClient(`${gateway.url}/mcp`, token, era);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain(`${prefix}echo`);
    expect(names.some((name) => name.startsWith(missing))).toBe(false);
    await client.close();
  }
});

test('an unknown version is refused with what is known', async () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2099-01-01',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const message = { jsonrpc: '2.0', id: 3, method: 'tools/list', params: { _meta: meta } };
  const answer = await postMessage(`${gateway.url}/mcp`, token, message, {
    'mcp-protocol-version': '2099-01-01',
    'mcp-method': 'tools/list',
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    id: 3,
    error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2099-01-01' } },
  });
});
