/** A fail-over behind one address: the connection stands, and what is at its other end is a replica from now on. */
import { Redis } from 'ioredis';
import { RUNTIME } from '#runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStorage } from '../../adapters/node-compat/storage/open-storage.ts';
import { Secret } from '../../src/base/secret.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { startTcpSwitch } from '../support/tcp-switch.ts';

const KEY = 'generation:current';
let former: TestServer;
let promoted: TestServer;
beforeAll(async () => {
  [former, promoted] = await Promise.all([startRedis(), startRedis()]);
});
afterAll(() => Promise.all([former?.close(), promoted?.close()]));

const portOf = ({ url }: TestServer): number => Number(new URL(url).port);

/** Has one server follow the other, as a fail-over leaves them. */
async function follow(follower: TestServer, leader: TestServer): Promise<void> {
  const client = new Redis(follower.url);
  await client.config('SET', 'masterauth', leader.password);
  await client.replicaof('127.0.0.1', portOf(leader));
  await client.quit();
}

test('a replica that takes no writes is left for whoever took its place', async () => {
  const address = await startTcpSwitch(portOf(former));
  const url = new URL(former.url);
  url.port = `${address.port}`;
  const storage = await openStorage(RUNTIME, new Secret(url.href));
  expect(await storage.commit([{ key: KEY, value: 'before' }])).toBe(true);
  await follow(former, promoted);
  address.leadTo(portOf(promoted));
  await expect(storage.commit([{ key: KEY, value: 'refused' }])).rejects.toMatchObject({
    code: 'store_unavailable',
    details: { reason: 'READONLY' },
  });
  await expect.poll(() => storage.commit([{ key: KEY, value: 'after' }]).catch(() => false)).toBe(true);
  const leader = new Redis(promoted.url);
  expect(await leader.get(`postern:${KEY}`)).toBe('after');
  await leader.quit();
  await storage.close();
  await address.close();
});
