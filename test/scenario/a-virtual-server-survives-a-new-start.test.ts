import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import type { TestGateway, TestKeys } from '../support/gateway.ts';
import { connectClient, postMessage, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const closing = closeAfterEach();
let upstream: McpUpstream;
let path: string;
let keys: TestKeys;
beforeEach(async () => {
  keys = makeKeys();
  upstream = await startMcpUpstream();
  const folder = await makeTempFolder();
  path = `${folder.path}/postern.db`;
  closing.push(folder.remove, () => upstream.close());
});

/** One of several gateways over one store. */
async function start(): Promise<TestGateway> {
  const gateway = await startGateway({ keys, settings: { POSTERN_STORAGE: `sqlite:${path}` } });
  closing.push(() => gateway.close());
  return gateway;
}
const statusAt = async (gateway: TestGateway, slug: string) => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  return (await postMessage(`${gateway.url}/servers/${slug}/mcp`, await gateway.token('ann'), ping)).status;
};
const read = async (gateway: TestGateway, slug: string) =>
  (await (await gateway.api('GET', `/v1/servers/${slug}`)).json()) as Record<string, unknown>;

test('a saved server is there again after a start, under the same id, before its gateway was reached', async () => {
  const first = await start();
  await first.register({ name: 'up', url: upstream.url });
  const members = [{ gateway: 'up', tools: ['echo'], aliases: { say: 'add' } }];
  await first.api('POST', '/v1/servers', { name: 'Kept', members });
  const before = await read(first, 'kept');
  expect(before).toMatchObject({ associatedTools: ['echo', 'say'] });
  const second = await start();
  expect(await read(second, 'kept')).toEqual(before);
  for (const era of ['legacy', 'modern'] as const) {
    const client = await connectClient(`${second.url}/servers/kept/mcp`, await second.token('ann'), era);
    expect(textOf(await client.callTool({ name: 'say', arguments: { a: 1, b: 2 } }))).toBe('3');
    await client.close();
  }
});

test('a reload takes up what another process saved, changed and removed', async () => {
  const [writer, reader] = [await start(), await start()];
  await writer.register({ name: 'up', url: upstream.url });
  await writer.api('POST', '/v1/servers', { name: 'Shared', members: [{ gateway: 'up' }] });
  expect(await statusAt(reader, 'shared')).toBe(404);
  await reader.gateway.reload('operator');
  expect(await statusAt(reader, 'shared')).toBe(200);
  await writer.api('PUT', '/v1/servers/shared', { description: 'changed' });
  // a change starts from what is stored, not from what was loaded
  const response = await reader.api('PUT', '/v1/servers/shared', { members: [{ gateway: 'up', tools: ['echo'] }] });
  expect(await response.json()).toMatchObject({ description: 'changed', version: 3 });
  await writer.api('DELETE', '/v1/servers/shared');
  expect((await reader.api('PUT', '/v1/servers/shared', {})).status).toBe(404);
  expect(await statusAt(reader, 'shared')).toBe(404);
});

test('a record that was changed outside serves nobody, is named, and can be removed; the others serve', async () => {
  const first = await start();
  await first.register({ name: 'up', url: upstream.url });
  const ids = [];
  for (const name of ['Good', 'Bad']) {
    const response = await first.api('POST', '/v1/servers', { name, members: [{ gateway: 'up' }] });
    ids.push(((await response.json()) as { id: string }).id);
  }
  const [, bad = ''] = ids;
  const db = new DatabaseSync(path);
  const { changes } = db
    .prepare(`UPDATE postern_records SET value = replace(value, '"name":"Bad"', '"name":"Worse"')`)
    .run();
  db.close();
  expect(changes).toBeGreaterThan(0);

  const second = await start();
  expect(await statusAt(second, 'good')).toBe(200);
  expect(await statusAt(second, 'bad')).toBe(404);
  expect(await read(second, bad)).toMatchObject({
    status: 'refused',
    lastError: expect.stringContaining('record_tampered') as string,
    enabled: false,
  });
  expect(second.events).toContainEqual({
    name: 'record.refused',
    fields: expect.objectContaining({ record: `server:${bad}`, code: 'record_tampered' }) as object,
  });
  expect((await second.api('PUT', `/v1/servers/${bad}`, {})).status).toBe(500);
  expect((await second.api('DELETE', `/v1/servers/${bad}`)).status).toBe(200);
  expect((await (await second.api('GET', '/v1/servers')).json()) as unknown[]).toMatchObject([{ slug: 'good' }]);
});
