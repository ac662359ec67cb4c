import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { rawList } from '../support/raw-lists.ts';

const ERAS = ['legacy', 'modern'] as const;

let fit: McpUpstream;
let frail: McpUpstream;
let gateway: TestGateway;
let url: string;
let token: string;

beforeEach(async () => {
  [fit, frail] = await Promise.all([startMcpUpstream(), startMcpUpstream()]);
  gateway = await startGateway();
  url = `${gateway.url}/mcp`;
  token = await gateway.token('ann');
  await gateway.register({ name: 'fit', url: fit.url });
  await gateway.register({ name: 'frail', url: frail.url });
  await frail.untilListened();
});
afterEach(async () => {
  await gateway.close();
  await fit.close();
  await frail.close();
});

const health = async (slug: string) => {
  const body = (await (await gateway.api('GET', `/v1/gateways/${slug}`)).json()) as Record<string, unknown>;
  return body['health'] as { status: string; reason: { code: string } | null };
};
const untilFailing = (slug: string) =>
  expect.poll(async () => (await health(slug)).status, { timeout: 10_000 }).toBe('failing');

test('an upstream that died keeps its tools in the list, and is named there and in its health', async () => {
  await frail.close();
  await untilFailing('frail');
  for (const era of ERAS) {
    const { names, meta } = await rawList(url, token, era);
    expect(names).toContain('fit_echo');
    expect(names).toContain('frail_echo');
    expect(meta).toMatchObject({ 'postern/stale': ['frail'] });
  }
});

test('when all of them are dead, the list is an error that says why', async () => {
  await Promise.all([fit.close(), frail.close()]);
  for (const slug of ['fit', 'frail']) await untilFailing(slug);
  for (const era of ERAS) {
    const { error } = await rawList(url, token, era);
    expect(error).toMatchObject({ data: { code: 'upstream_unavailable' } });
    expect(error?.message).toContain('no upstream could be listed');
  }
});

test('an upstream that lists nonsense keeps what it listed before; its health says so until it lists again', async () => {
  frail.intercept = ({ rpcMethod, rpcId }) =>
    rpcMethod === 'tools/list'
      ? Response.json({ jsonrpc: '2.0', id: rpcId, result: { tools: [{ title: 'no name' }] } })
      : undefined;
  frail.dropConnections();
  // the stream that told of changes is gone, so the list is asked for again
  const metaNow = async () => (await rawList(url, token, 'modern')).meta;
  await expect.poll(metaNow, { timeout: 10_000 }).toMatchObject({ 'postern/stale': ['frail'] });
  expect((await rawList(url, token, 'legacy')).names).toContain('frail_echo');
  expect(await health('frail')).toMatchObject({ status: 'failing', reason: { code: 'upstream_protocol' } });
  frail.intercept = undefined;
  await expect.poll(metaNow, { timeout: 10_000 }).not.toHaveProperty('postern/stale');
  expect((await health('frail')).status).toBe('healthy');
});

test('an upstream never listed is missing and named; with nothing else there, the list is an error', async () => {
  const port = await freePort();
  const fields = { name: 'absent', url: `http://127.0.0.1:${port}/mcp` };
  await gateway.api('POST', '/v1/gateways?connect=false', fields);
  for (const era of ERAS) {
    const { names, meta } = await rawList(url, token, era);
    expect(names).toContain('fit_echo');
    expect(meta).toMatchObject({ 'postern/missing': ['absent'] });
  }
  await gateway.api('DELETE', '/v1/gateways/fit');
  await gateway.api('DELETE', '/v1/gateways/frail');
  for (const era of ERAS)
    expect((await rawList(url, token, era)).error).toMatchObject({ data: { code: 'upstream_unavailable' } });
  const { error } = await rawList(url, token, 'modern', { method: 'server/discover' });
  expect(error).toMatchObject({ data: { code: 'upstream_unavailable' } });
  await gateway.api('DELETE', '/v1/gateways/absent');
  for (const era of ERAS) expect((await rawList(url, token, era)).names).toEqual([]);
});
