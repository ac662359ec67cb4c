/** What cannot be believed is met at every look; that is no news, and nobody is told again. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StorageDriver } from '../../src/store/driver.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { storedText } from '../support/stored-text.ts';

let upstream: McpUpstream;
let gateway: TestGateway;
let storage: StorageDriver;

beforeEach(async () => {
  upstream = await startMcpUpstream();
  const wrapPlatform = <T extends { readonly storage: StorageDriver }>(platform: T): T => {
    ({ storage } = platform);
    return platform;
  };
  gateway = await startGateway({ wrapPlatform });
  await gateway.register({ name: 'up', url: upstream.url });
  await gateway.api('POST', '/v1/servers', { name: 'Desk', members: [{ gateway: 'up' }] });
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

test.each(['gateway', 'server'])('a %s that was tampered with', async (kind) => {
  const { rotation, records } = gateway.gateway;
  const [id] = await records.ids(kind as 'gateway' | 'server');
  const key = (await storage.driver.getKeys(kind, {})).find((found) => found.startsWith(`${kind}:`));
  if (id === undefined || key === undefined) throw new TypeError(`no ${kind} was stored`);
  await storage.commit([{ key, value: (await storedText(storage, key))?.replace(/up|Desk/, 'other') ?? null }]);
  await rotation.recheck();
  const { generation, problems } = rotation.status;
  expect(problems).toMatchObject([{ code: 'record_tampered' }]);
  for (let look = 0; look < 3; look++) await rotation.recheck();
  expect(rotation.status.generation).toEqual(generation);
  expect(gateway.countOf('record.refused')).toBe(1);
});
