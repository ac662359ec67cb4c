/** What can be done without the store is done; what cannot, is named until it is. */
import { afterEach, expect, test } from 'vitest';
import type { StorageDriver } from '../../src/store/driver.ts';
import { storeUnavailable } from '../../src/store/unavailable.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';
import type { RotatingFiles } from '../support/rotating-files.ts';
import { startRawServer } from '../support/raw-servers.ts';

let files: RotatingFiles | undefined;
/** Which keys, or kinds, cannot be read. */
let lost: RegExp | undefined;
afterEach(async () => {
  lost = undefined;
  await files?.close();
  files = undefined;
});

function failing(storage: StorageDriver): StorageDriver {
  const guard = <T>(key: string, read: () => T): T => {
    if (lost?.test(key)) throw storeUnavailable('memory', 'gone');
    return read();
  };
  const { driver } = storage;
  return {
    ...storage,
    driver: {
      getItem: async (key, options) => guard(key, () => driver.getItem(key, options)),
      getKeys: async (base, options) => guard(base, () => driver.getKeys(base, options)),
    },
  };
}

const start = async (): Promise<RotatingFiles> =>
  (files = await startRotatingFiles({
    wrapPlatform: (platform) => ({ ...platform, storage: failing(platform.storage) }),
  }));

test('new files are taken up while the store is gone', async () => {
  const rotating = await start();
  lost = /./;
  await rotating.write(await rotating.issue('second'));
  await rotating.presenting('second');
  expect(rotating.gateway.gateway.rotation.status.storeLostAtMs).toBeDefined();
  expect((await rotating.ended()).failed).toEqual([]);
});

test('a cut that is asked for is made, also where records cannot be read', async () => {
  const { gateway } = await start();
  lost = /^gateway:/;
  const { rotation } = gateway.gateway;
  await rotation.request({ by: 'somebody', reason: 'request', scope: 'all', cut: true });
  expect(gateway.events.filter(({ name }) => name === 'upstream.cut')).toMatchObject([{ fields: { why: 'operator' } }]);
  const code = 'store_unavailable';
  const failed = [
    { name: 'gateways', code },
    { name: 'up', code },
  ];
  expect(rotation.status).toMatchObject({ generation: { number: 2 }, inForce: 1, failing: failed });
  lost = undefined;
  await rotation.come();
  rotation.settle();
  expect(rotation.status).toMatchObject({ inForce: 2, problems: [] });
});

test('a generation is not in force while a change of its gateway is in the way', async () => {
  const { gateway } = await start();
  const dialled = Promise.withResolvers<void>();
  const silent = await startRawServer(() => dialled.resolve());
  const change = gateway.api('PUT', '/v1/gateways/up', { url: `https://127.0.0.1:${silent.port}/mcp` });
  await dialled.promise;
  const { rotation } = gateway.gateway;
  const { number } = await rotation.request({ by: 'somebody', reason: 'request', scope: 'all' });
  expect(rotation.status).toMatchObject({ inForce: number - 1, failing: [{ name: 'up', pending: true }] });
  await silent.close();
  expect((await change).status).toBe(502);
  await expect.poll(() => rotation.status.failing).toEqual([]);
  rotation.settle();
  expect(rotation.status.inForce).toBe(number);
});
