/** Servers that go away and come back: about them and their clients, so one runtime shows it for all. */
import { Client } from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import { RUNTIME } from '#runtime';
import { openStorage } from '../../adapters/node-compat/storage/open-storage.ts';
import { Secret } from '../../src/base/secret.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { postgresClients, redisClients } from '../support/store-clients.ts';
import { outageContract } from './storage-contract.ts';
import { watchLossContract } from './storage-watch-loss-contract.ts';
import type { WatchedServer } from './storage-watch-loss-contract.ts';

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
  const open = (url: string) => openStorage(RUNTIME, new Secret(url));
  outageContract(() => server, open);
  watchLossContract({ server: () => server, open, clients, elsewhere: () => elsewhere(server) });
}

async function makeSchema({ url }: TestServer): Promise<string> {
  const client = new Client(url);
  await client.connect();
  await client.query('CREATE SCHEMA IF NOT EXISTS other');
  await client.end();
  return `${url}?options=${encodeURIComponent('-c search_path=other')}`;
}
