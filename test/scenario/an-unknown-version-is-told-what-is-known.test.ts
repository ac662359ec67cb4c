import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let upstreams: McpUpstream[];
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
  upstreams = await Promise.all([startMcpUpstream({ era: 'legacy' }), startMcpUpstream({ era: 'modern' })]);
  const [legacy, modern] = upstreams;
  await gateway.register({ name: 'old', url: legacy?.url });
  await gateway.register({ name: 'new', url: modern?.url });
});
afterAll(async () => {
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
});

for (const path of ['/mcp', '/servers/old/mcp', '/servers/new/mcp'])
  test(`${path} refuses it with what is known`, async () => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2099-01-01',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const message = { jsonrpc: '2.0', id: 3, method: 'tools/list', params: { _meta: meta } };
    const headers = { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'tools/list' };
    const answer = await postMessage(gateway.url + path, await gateway.token('ann'), message, headers);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      id: 3,
      error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2099-01-01' } },
    });
  });
