import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { openStorage } from '../../adapters/node/storage/open-storage.ts';
import { Secret } from '../../src/base/secret.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { outageContract, sharedStorageContract, storageContract } from './storage-contract.ts';

const open = (url: string) => openStorage(new Secret(url));

describe('memory', () => {
  storageContract(() => open('memory:'));
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
  outageContract(() => server, open);
}
