/** Somebody with the store but without the vault key changes, replaces or removes the policy: that opens nothing. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Platform } from '../../src/platform.ts';
import type { StorageDriver } from '../../src/store/driver.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { storedText } from '../support/stored-text.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const KEY = 'policy:current';
const POLICY = {
  rules: [
    { name: 'operators', who: { role: 'admin' }, allow: { admin: '*' } },
    { name: 'ann', who: { subject: 'ann' }, allow: { servers: '*' } },
  ],
};
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

let upstream: McpUpstream;
let gateway: TestGateway;
let storage: StorageDriver;
let folder: Awaited<ReturnType<typeof makeTempFolder>>;
let start: () => Promise<TestGateway>;

beforeEach(async () => {
  folder = await makeTempFolder();
  upstream = await startMcpUpstream();
  const wrapPlatform = (platform: Platform): Platform => {
    ({ storage } = platform);
    return platform;
  };
  const settings = { POSTERN_STORAGE: `sqlite:${folder.path}/store.db` };
  const keys = makeKeys();
  start = () => startGateway({ wrapPlatform, settings, keys });
  gateway = await start();
  await gateway.register({ name: 'up', url: upstream.url });
  expect((await gateway.api('PUT', '/v1/policy', POLICY)).status).toBe(200);
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
  await folder.remove();
});

const pingAs = async (subject: string): Promise<number> =>
  (await postMessage(`${gateway.url}/mcp`, await gateway.token(subject), PING)).status;

async function expectClosed(code: string): Promise<void> {
  expect([await pingAs('ann'), await pingAs('bob')]).toEqual([403, 403]);
  expect((await gateway.api('GET', '/v1/gateways')).status).toBe(403);
  expect(await (await gateway.api('GET', '/v1/policy')).json()).toMatchObject({ policy: null, status: 'refused' });
  const health = (await (await fetch(`${gateway.url}/health`)).json()) as { rotation: unknown };
  expect(JSON.stringify(health.rotation)).toContain(`{"name":"policy","code":"${code}"}`);
}

async function expectRepaired(): Promise<void> {
  expect((await gateway.api('PUT', '/v1/policy', POLICY)).status).toBe(200);
  expect([await pingAs('ann'), await pingAs('bob')]).toEqual([200, 403]);
  const health = (await (await fetch(`${gateway.url}/health`)).json()) as { rotation: object };
  expect(health.rotation).not.toHaveProperty('failed');
}

test.each([
  ['changed', 'record_tampered', (text: string) => text.replaceAll('ann', 'bob')],
  ['removed', 'record_tampered', () => null],
  ['replaced by nonsense', 'record_invalid', () => 'nonsense'],
])('a policy that was %s', async (_how, code, tamper) => {
  expect([await pingAs('ann'), await pingAs('bob')]).toEqual([200, 403]);
  await storage.commit([{ key: KEY, value: tamper((await storedText(storage, KEY)) ?? '') }]);
  await gateway.api('POST', '/v1/rotation', {});
  await expectClosed(code);
  await expectRepaired();
});

test('a start finds it so, too', async () => {
  const value = (await storedText(storage, KEY))?.replaceAll('ann', 'bob') ?? null;
  await storage.commit([{ key: KEY, value }]);
  await gateway.close();
  gateway = await start();
  await expectClosed('record_tampered');
  await expectRepaired();
});
