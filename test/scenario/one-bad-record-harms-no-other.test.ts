import { afterEach, beforeEach, expect, test } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import type { TestGateway, TestKeys } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

let upstream: McpUpstream;
let folder: TempFolder;
let keys: TestKeys;
let gateway: TestGateway | undefined;

const start = async (withKeys = keys): Promise<TestGateway> => {
  gateway = await startGateway({ keys: withKeys, settings: { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db` } });
  return gateway;
};

beforeEach(async () => {
  upstream = await startMcpUpstream();
  folder = await makeTempFolder();
  keys = makeKeys();
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await folder.remove();
  await upstream.close();
});

const read = async (running: TestGateway, slug: string) =>
  (await (await running.api('GET', `/v1/gateways/${slug}`)).json()) as Record<string, unknown>;
const callOf = async (running: TestGateway, slug: string) => {
  const response = await fetch(`${running.url}/servers/${slug}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await running.token('ann')}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'add', arguments: { a: 1, b: 2 } },
    }),
  });
  return response.status;
};

test('a secret that does not open keeps its own gateway out of service, and says which', async () => {
  const before = await start();
  await before.register({ name: 'good', url: upstream.url });
  const { id } = await before.register({ name: 'bad', url: upstream.url, auth_type: 'bearer', auth_token: 't' });
  const { records, vault } = before.gateway;
  const stored = await records.get<object>('gateway', String(id));
  const moved = { sealed: await vault.seal(new Secret('t'), 'gateway:another:auth/token') };
  await records.write([
    { kind: 'gateway', id: String(id), body: { ...stored?.body, auth: { type: 'bearer', token: moved } } },
  ]);
  await before.close();

  const after = await start();
  expect(await read(after, 'bad')).toMatchObject({
    status: 'refused',
    reachable: false,
    lastError: expect.stringMatching(/^vault_open_failed: gateway:/),
  });
  expect(await read(after, 'good')).toMatchObject({ status: 'active' });
  expect([await callOf(after, 'good'), await callOf(after, 'bad')]).toEqual([200, 404]);
  expect(await (await fetch(`${after.url}/health`)).json()).toMatchObject({
    status: 'degraded',
    gateways: 2,
    failing: [{ slug: 'bad', code: 'vault_open_failed' }],
  });
  expect(after.events.filter(({ name }) => name === 'record.refused')).toMatchObject([
    { fields: { record: `gateway:${String(id)}`, code: 'vault_open_failed' } },
  ]);
  expect(await (await after.api('POST', '/v1/gateways/bad/check')).json()).toMatchObject({
    ok: false,
    error: { code: 'vault_open_failed' },
  });

  const repaired = await after.api('PUT', '/v1/gateways/bad', { auth_token: 'new' });
  expect(repaired.status).toBe(200);
  expect(await callOf(after, 'bad')).toBe(200);
});

test('a record that cannot be believed is shown by its id, and can be removed', async () => {
  const before = await start();
  const { id } = await before.register({ name: 'lost', url: upstream.url });
  await before.close();

  const after = await start({ ...makeKeys(), jwtSecretKey: keys.jwtSecretKey });
  const [shown] = (await (await after.api('GET', '/v1/gateways')).json()) as Record<string, unknown>[];
  expect(shown).toMatchObject({
    id,
    slug: id,
    status: 'refused',
    lastError: expect.stringContaining('vault_key_unknown'),
  });
  expect((await after.api('PUT', `/v1/gateways/${String(id)}`, { description: 'x' })).status).toBe(500);
  expect((await after.api('DELETE', `/v1/gateways/${String(id)}`)).status).toBe(200);
  expect(await (await after.api('GET', '/v1/gateways')).json()).toEqual([]);
});

test('a stored listing serves after a restart without dialling', async () => {
  const before = await start();
  await before.register({ name: 'up', url: upstream.url });
  await before.close();
  await upstream.close();

  const after = await start();
  expect(after.gateway.registry.snapshot().bySlug('up')?.upstream.facts?.listing.tools.length).toBeGreaterThan(3);
  expect(await read(after, 'up')).toMatchObject({ status: 'active', toolCount: expect.any(Number) });
});
