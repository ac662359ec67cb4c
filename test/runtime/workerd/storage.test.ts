/** The stores of Workers, held to the contract by way of workerd. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../src/base/ids.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import type { ErrorCode } from '../../../src/base/errors.ts';
import type { StorageDriver } from '../../../src/store/driver.ts';
import { sharedStorageContract, storageContract } from '../../contract/storage-contract.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import type { TempFolder } from '../../support/temp-folder.ts';
import { startLocalWorkerd } from './local-workerd.ts';
import type { LocalWorkerd } from './local-workerd.ts';
import type { StoreRequest } from './storage-worker.ts';

let workerd: LocalWorkerd;
let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
  const entry = 'test/runtime/workerd/storage-worker.ts';
  const onLog = (): void => undefined;
  workerd = await startLocalWorkerd({ address: '127.0.0.1:0', dataDir: folder.path, texts: {}, entry, onLog });
});
afterAll(async () => {
  await workerd?.kill();
  await folder?.remove();
});

/** Asks one connection: an instance of its own. */
const asking = (store: string) => {
  const address = `http://127.0.0.1:${workerd.port}/?store=${store}&connection=${newId()}`;
  return async <T>(asked: StoreRequest): Promise<T> => {
    const response = await fetch(address, { method: 'POST', body: JSON.stringify(asked) });
    const told = (await response.json()) as { answer?: T; code?: ErrorCode; message?: string };
    if (told.code !== undefined) throw new GatewayError(told.code, told.message ?? '');
    // what is not an error is an answer
    return told.answer as T;
  };
};

/** One more connection. */
async function open(store: string): Promise<StorageDriver> {
  const ask = asking(store);
  return {
    name: store,
    shared: true,
    driver: {
      getItem: (key) => ask<string | null>({ ask: 'getItem', key }),
      getKeys: (base) => ask<string[]>({ ask: 'getKeys', base }),
    },
    commit: (changes) => ask<boolean>({ ask: 'commit', changes }),
    close: () => Promise.resolve(),
  };
}

describe('d1', () => {
  storageContract(() => open('d1:DB'));
  sharedStorageContract(() => open('d1:DB'));

  test('a commit may be larger than what one statement may carry', async () => {
    const storage = await open('d1:DB');
    const changes = Array.from({ length: 300 }, (_, n) => ({
      key: `meta:many${n}`,
      value: `{"n":${n}}`,
      expected: null,
    }));
    expect(await storage.commit(changes)).toBe(true);
    expect(await storage.commit(changes)).toBe(false);
    expect(await storage.commit(changes.map(({ key, value }) => ({ key, value: null, expected: value })))).toBe(true);
    expect(await storage.driver.getKeys('meta:many', {})).toEqual([]);
  });
});

// what Workers KV promises is what one instance by itself can keep: nothing is compared between two
describe('cf-kv', () => {
  storageContract(() => open('cf-kv:KV'));

  test('of many that create a record at one instance, one does', async () => {
    const at = `gateway:${newId()}`;
    const commits = [0, 1, 2, 3].map((n) => [{ key: at, value: `{"n":${n}}`, expected: null }]);
    const made = await asking('cf-kv:KV')<boolean[]>({ ask: 'commits', commits });
    expect(made).toEqual([true, false, false, false]);
  });
});

test.for([
  ['d1:NOWHERE', 'config_invalid', 'NOWHERE'],
  ['d1:KV', 'config_invalid', 'D1 database'],
  ['cf-kv:DB', 'config_invalid', 'KV namespace'],
  ['cf-kv:toString', 'config_invalid', 'toString'],
  ['redis://store', 'capability_unsupported', 'redis'],
  ['memory:', 'capability_unsupported', 'memory'],
] as const)('the store %s is refused as %s', async ([store, code, part]) => {
  const storage = await open(store);
  const error: unknown = await storage.commit([]).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, message: expect.stringContaining(part) });
});
