/** Stores that take commits and do not let us listen to them. */
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { openPostgres } from '../../../adapters/node-compat/storage/postgres.ts';
import { openRedis } from '../../../adapters/node-compat/storage/redis.ts';
import { Secret } from '../../../src/base/secret.ts';
import { closeAfterEach } from '../../support/closing.ts';
import { startPostgres } from '../../support/postgres.ts';
import { startRawServer } from '../../support/raw-servers.ts';
import type { RawServer } from '../../support/raw-servers.ts';
import { startRedis } from '../../support/redis.ts';
import { postgresClients, redisClients } from '../../support/store-clients.ts';
import { until } from '../../support/until.ts';
import { watchStore } from '../../support/watched-store.ts';

const closing = closeAfterEach();
const change = { key: 'gateway:a', value: '{}' };

test('a user of Redis without channels commits, is told nothing, and says so to nobody', async () => {
  const server = await startRedis();
  closing.push(() => server.close());
  const operator = new Redis(server.url);
  closing.push(() => operator.disconnect());
  await operator.call('ACL', 'SETUSER', 'limited', 'on', '>word', '~postern:*', '+@all', 'resetchannels');
  const limited = await openRedis(new Secret(server.url.replace(/\/\/.*@/, '//limited:word@')));
  closing.push(() => limited.close());
  const watched = watchStore(limited);
  const refusals = async () => JSON.stringify(await operator.call('ACL', 'LOG'));
  await until(async () => (await refusals()).includes('postern:commits:0'));
  await operator.call('ACL', 'LOG', 'RESET');
  await comeBackThrice(server.url);
  expect(await refusals()).toBe('[]');
  expect(await limited.commit([change])).toBe(true);
  expect(await limited.driver.getItem(change.key)).toBe('{}');
  // the commit's telling was refused
  expect(await refusals()).toMatch(/postern:commits:0.*"context","lua"|"lua".*postern:commits:0/);
  expect([watched.told, watched.links]).toEqual([[], []]);
});

test('behind a pooler of PostgreSQL that delivers nothing, telling never counts as working', async () => {
  const server = await startPostgres();
  closing.push(() => server.close());
  const operator = await postgresClients(server.url);
  closing.push(() => operator.close());
  const pooler = await startDeafPooler(Number(new URL(server.url).port));
  closing.push(() => pooler.close());
  const url = new URL(server.url);
  url.port = `${pooler.port}`;
  const pooled = await openPostgres(new Secret(url.href));
  closing.push(() => pooled.close());
  const watched = watchStore(pooled);
  await until(async () => (await operator.listening()) === 1);
  await until(async () => (await operator.listening()) === 0);
  expect(await pooled.commit([change])).toBe(true);
  expect([watched.told, watched.links]).toEqual([[], []]);
});

/** As long as another one takes to be lost and to listen again, three times. */
async function comeBackThrice(url: string): Promise<void> {
  const other = await openRedis(new Secret(url));
  closing.push(() => other.close());
  const watched = watchStore(other);
  const operator = redisClients(url);
  closing.push(() => operator.close());
  for (let time = 0; time < 3; time++) {
    await watched.link(true);
    await operator.killListening();
    await watched.link(false);
  }
  await watched.link(true);
}

/** As a pooler that lends connections by the transaction: LISTEN is taken, and no notification comes back. */
function startDeafPooler(port: number): Promise<RawServer> {
  return startRawServer((client) => {
    const server = connect(port, '127.0.0.1').on('error', () => {});
    client.pipe(server).on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    let rest = Buffer.alloc(0);
    server.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      // a message is its type, its length without the type, and its content
      while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
        const length = rest.readInt32BE(1) + 1;
        if (rest[0] !== 'A'.charCodeAt(0)) client.write(rest.subarray(0, length));
        rest = rest.subarray(length);
      }
    });
  });
}
