import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let gateway: TestGateway;
let upstream: McpUpstream;

beforeEach(async () => {
  gateway = await startGateway();
  upstream = await startMcpUpstream({ era: 'dual' });
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const asked = () => ({
  initialize: upstream.requestsOf('initialize').length > 0,
  discover: upstream.requestsOf('server/discover').length > 0,
});

test('left alone it asks for both eras, and says when it did', async () => {
  const before = Date.now();
  const view = await gateway.register({ name: 'two', url: upstream.url });
  expect(view).toMatchObject({ protocolEra: 'auto', eras: { modern: true, legacy: true } });
  const { probedAt } = view['eras'] as { probedAt: string };
  expect(Date.parse(probedAt)).toBeGreaterThanOrEqual(before);
  await gateway.api('POST', '/v1/gateways/two/refresh');
  const again = (await (await gateway.api('GET', '/v1/gateways/two')).json()) as { eras: { probedAt: string } };
  expect(Date.parse(again.eras.probedAt)).toBeGreaterThan(Date.parse(probedAt));
});

test('legacy never discovers; modern callers are served across the eras', async () => {
  const view = await gateway.register({ name: 'two', url: upstream.url, protocol_era: 'legacy' });
  expect(view).toMatchObject({ protocolEra: 'legacy', eras: { modern: false, legacy: true } });
  const client = await connectClient(`${gateway.url}/servers/two/mcp`, await gateway.token('ann'), 'modern');
  expect(textOf(await client.callTool({ name: 'elicit', arguments: { message: 'who?' } }))).toContain('accept');
  await client.close();
  expect(asked()).toEqual({ initialize: true, discover: false });
});

test('modern never initializes; legacy callers are served across the eras', async () => {
  const view = await gateway.register({ name: 'two', url: upstream.url, protocolEra: 'modern' });
  expect(view).toMatchObject({ protocolEra: 'modern', eras: { modern: true, legacy: false } });
  const client = await connectClient(`${gateway.url}/servers/two/mcp`, await gateway.token('ann'), 'legacy');
  expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'x' } }))).toBe('x');
  await client.close();
  expect(asked()).toEqual({ initialize: false, discover: true });
});

test('a change of mind takes effect at once; null finds out again', async () => {
  await gateway.register({ name: 'two', url: upstream.url, protocol_era: 'legacy' });
  const change = async (protocol_era: string | null) =>
    (await gateway.api('PUT', '/v1/gateways/two', { protocol_era })).json();
  expect(await change('modern')).toMatchObject({ protocolEra: 'modern', eras: { modern: true, legacy: false } });
  expect(await change(null)).toMatchObject({ protocolEra: 'auto', eras: { modern: true, legacy: true } });
});

test('what the server does not speak, or the transport cannot, is refused by name', async () => {
  const old = await startMcpUpstream({ era: 'legacy' });
  const register = async (fields: object) => {
    const answer = await gateway.api('POST', '/v1/gateways', { name: 'x', ...fields });
    return { status: answer.status, body: (await answer.json()) as { code: string; message: string } };
  };
  expect(await register({ url: old.url, protocol_era: 'modern' })).toMatchObject({
    status: 502,
    body: { code: 'upstream_protocol', message: expect.stringContaining('server/discover') },
  });
  expect(await register({ url: old.url, protocol_era: 'modern', transport: 'SSE' })).toMatchObject({
    status: 422,
    body: { code: 'config_invalid' },
  });
  expect((await register({ url: old.url, protocol_era: 'newest' })).status).toBe(400);
  expect(old.requestsOf('initialize')).toEqual([]);
  await old.close();
});
