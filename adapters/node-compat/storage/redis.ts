import type { Redis } from 'ioredis';
import redisDriver from 'unstorage/drivers/redis';
import { codeOf, guardStorage, storeUnavailable } from '../../../src/index.ts';
import type { Change, Secret, StorageDriver } from '../../../src/index.ts';
import { redisCounters } from './redis-counters.ts';
import { heedHeartbeat, Subscription } from './subscription.ts';
import type { Listening } from './subscription.ts';

const PREFIX = 'postern';

/**
 * Per key four arguments: the rule for what is there now, the text it compares with, what to do, the new text; then the
 * channel on which the keys are told. A user who may not publish commits all the same, hence pcall.
 */
const COMMIT = `
for i, key in ipairs(KEYS) do
  local rule, expected = ARGV[4 * i - 3], ARGV[4 * i - 2]
  if rule == 'equal' and redis.call('GET', key) ~= expected then return 0 end
  if rule == 'absent' and redis.call('EXISTS', key) == 1 then return 0 end
end
for i, key in ipairs(KEYS) do
  if ARGV[4 * i - 1] == 'put' then redis.call('SET', key, ARGV[4 * i]) else redis.call('DEL', key) end
end
if #KEYS > 0 then redis.pcall('PUBLISH', ARGV[#ARGV], table.concat(KEYS, ' ')) end
return 1`;

/**
 * Records in Redis 6 or newer, keys under `postern:`; a commit is one script. As durable as the server's
 * `appendonly` and `appendfsync` make it. Commits are told on `postern:commits:<database>`, since channels know no
 * databases.
 *
 * @throws GatewayError store_unavailable
 */
export async function openRedis(url: Secret): Promise<StorageDriver> {
  const driver = redisDriver({
    url: url.reveal(),
    base: PREFIX,
    scanCount: 1000,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    // replaces a connection that went silent, which TCP alone would keep for minutes
    socketTimeout: 6_000,
    // a command that was under way when the connection broke fails at once: sent again, a commit that had been made
    // would meet its own result and report a conflict
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 50, 1_000),
    // after a fail-over the connection still stands, and leads to a replica: the address leads elsewhere by now
    reconnectOnError: (error) => describe(error) === 'READONLY',
  });
  // one URL, so the driver's client is no cluster
  const redis = driver.getInstance?.() as Redis;
  let connectionError: unknown;
  redis.on('error', (error) => (connectionError = error));
  const reasonOf = (error: unknown): string => describe(codeOf(error) === FLUSHED ? (connectionError ?? error) : error);
  try {
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw storeUnavailable('redis', reasonOf(error));
  }
  const channel = `${PREFIX}:commits:${redis.options.db ?? 0}`;
  const subscription = new Subscription((listening) => listen(redis, channel, listening));
  return guardStorage(
    {
      name: 'redis',
      shared: true,
      driver,
      commit: async (changes) =>
        (await redis.eval(COMMIT, changes.length, ...keysOf(changes), ...rulesOf(changes), channel)) === 1,
      watch: subscription.watch,
      counters: redisCounters(redis, PREFIX),
      close: async () => {
        redis.disconnect();
        await subscription.close();
      },
    },
    reasonOf,
  );
}

/** Over a connection of its own, as Redis wants it; one that is lost is not mended, but replaced by the subscription. */
async function listen(redis: Redis, channel: string, { tell, up, signal }: Listening): Promise<'refused'> {
  const client = redis.duplicate({ lazyConnect: true, retryStrategy: () => null, disconnectTimeout: 0 });
  const lost = new AbortController();
  const over = AbortSignal.any([signal, lost.signal]);
  const ended = new Promise((resolve) => client.once('end', resolve)).then(() => lost.abort());
  over.addEventListener('abort', () => client.disconnect());
  client.on('error', () => {});
  client.on('message', (_, keys: string) => tell(keys.split(' ').map((key) => key.slice(PREFIX.length + 1))));
  try {
    await client.connect();
    await client.subscribe(channel);
    up();
    return await heedHeartbeat(() => client.ping(), over);
  } catch (error) {
    if (describe(error) === 'NOPERM') return 'refused';
    throw error;
  } finally {
    client.disconnect();
    await ended;
  }
}

const keysOf = (changes: readonly Change[]): string[] => changes.map(({ key }) => `${PREFIX}:${key}`);

const rulesOf = (changes: readonly Change[]): string[] =>
  changes.flatMap(({ value, expected }) => [
    expected === undefined ? 'any' : expected === null ? 'absent' : 'equal',
    expected ?? '',
    value === null ? 'remove' : 'put',
    value ?? '',
  ]);

/** What ioredis fails a waiting command with when a connection could not be made; the reason is in the event before. */
const FLUSHED = 'MaxRetriesPerRequestError';

/** A reply's leading word (`NOAUTH`, `READONLY`) is a code of Redis; the rest may quote what was sent. */
const describe = (error: unknown): string =>
  (error instanceof Error && /^[A-Z]{3,}\b/.exec(error.message)?.[0]) || codeOf(error);
