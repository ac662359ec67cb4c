import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStorage } from '../../adapters/node-compat/storage/open-storage.ts';
import { RUNTIME } from '#runtime';
import { Secret } from '../../src/base/secret.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { sharedStorageContract, storageContract } from './storage-contract.ts';
import { watchContract } from './storage-watch-contract.ts';

const open = (url: string) => openStorage(RUNTIME, new Secret(url));

describe('memory', () => {
  storageContract(() => open('memory:'));
  watchContract(async () => {
    const storage = await open('memory:');
    return [storage, storage];
  });
});

describe('sqlite', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-sqlite-'));
  });
  afterAll(() => rm(directory, { recursive: true }));
  const openFile = () => open(`sqlite:${join(directory, 'data', 'postern.db')}`);
  storageContract(openFile);
  sharedStorageContract(openFile);
});

describe('redis', () => behindServer(startRedis));

describe('postgres', () => behindServer(startPostgres));

function behindServer(start: () => Promise<TestServer>): void {
  let server: TestServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.close());
  storageContract(() => open(server.url));
  sharedStorageContract(() => open(server.url));
  watchContract(async () => [await open(server.url), await open(server.url)]);
}

describe('stores of other runtimes', () => {
  const OWN: readonly string[] = Object.keys(RUNTIME.stores);
  test.each(['deno-kv', 'cf-kv', 'd1'].filter((scheme) => !OWN.includes(scheme)))(
    '%s: is refused by name',
    async (scheme) => {
      await expect(open(`${scheme}:records`)).rejects.toMatchObject({
        code: 'capability_unsupported',
        message: expect.stringContaining(`${scheme}:`) as string,
      });
    },
  );
});

if ('deno-kv' in RUNTIME.stores)
  describe('deno-kv', () => {
    let directory: string;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'postern-kv-'));
    });
    afterAll(() => rm(directory, { recursive: true }));
    const openFile = () => open(`deno-kv:${join(directory, 'data', 'postern.kv')}`);
    storageContract(openFile);
    sharedStorageContract(openFile);
    watchContract(async () => {
      const storage = await open('deno-kv::memory:');
      return [storage, storage];
    });

    test('the file is for its owner only, and is not said to tell what other processes commit', async () => {
      const storage = await openFile();
      const { mode } = await stat(join(directory, 'data', 'postern.kv'));
      expect([(mode & 0o777).toString(8), storage.shared, storage.watch]).toEqual(['600', false, undefined]);
      await storage.close();
    });

    test('what does not fit into one commit is refused, and why is said', async () => {
      const storage = await openFile();
      const many = Array.from({ length: 101 }, (_, n) => ({ key: `gateway:${n}`, value: '{}', expected: null }));
      await expect(storage.commit(many)).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining('more than 100 expectations') as string,
      });
      await storage.close();
    });

    test('a long text that is replaced again and again is read whole each time', async () => {
      const [writer, reader] = [await openFile(), await openFile()];
      const texts = ['a', 'b'].map((letter) => JSON.stringify(letter.repeat(200_000)));
      await writer.commit([{ key: 'meta:long', value: texts[0] ?? '' }]);
      const writing = (async () => {
        for (let n = 0; n < 10; n++) await writer.commit([{ key: 'meta:long', value: texts[n % 2] ?? '' }]);
      })();
      for (let n = 0; n < 20; n++) expect(texts).toContain(await reader.driver.getItem('meta:long'));
      await writing;
      await Promise.all([writer.close(), reader.close()]);
    });
  });
