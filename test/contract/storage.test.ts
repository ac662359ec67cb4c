import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import { openStorage } from '../../adapters/node-compat/storage/open-storage.ts';
import { RUNTIME } from '#runtime';
import { Secret } from '../../src/base/secret.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { postgresClients, redisClients } from '../support/store-clients.ts';
import { outageContract, sharedStorageContract, storageContract } from './storage-contract.ts';
import { watchContract } from './storage-watch-contract.ts';
import { watchLossContract } from './storage-watch-loss-contract.ts';
import type { WatchedServer } from './storage-watch-loss-contract.ts';

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

describe('redis', () => behindServer(startRedis, { clients: redisClients, elsewhere: async ({ url }) => `${url}/1` }));

describe('postgres', () => behindServer(startPostgres, { clients: postgresClients, elsewhere: makeSchema }));

interface Product {
  readonly clients: WatchedServer['clients'];
  /** The same server for somebody else's records. */
  readonly elsewhere: (server: TestServer) => Promise<string>;
}

function behindServer(start: () => Promise<TestServer>, { clients, elsewhere }: Product): void {
  let server: TestServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.close());
  storageContract(() => open(server.url));
  sharedStorageContract(() => open(server.url));
  outageContract(() => server, open);
  watchContract(async () => [await open(server.url), await open(server.url)]);
  watchLossContract({ server: () => server, open, clients, elsewhere: () => elsewhere(server) });
}

async function makeSchema({ url }: TestServer): Promise<string> {
  const client = new Client(url);
  await client.connect();
  await client.query('CREATE SCHEMA IF NOT EXISTS other');
  await client.end();
  return `${url}?options=${encodeURIComponent('-c search_path=other')}`;
}
