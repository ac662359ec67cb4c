import type { Redis } from 'ioredis';
import redisDriver from 'unstorage/drivers/redis';
import { codeOf, guardStorage, storeUnavailable } from '../../../src/index.ts';
import type { Change, Secret, StorageDriver } from '../../../src/index.ts';

const PREFIX = 'postern';

/** Per key four arguments: the rule for what is there now, the text it compares with, what to do, the new text. */
const COMMIT = `
for i, key in ipairs(KEYS) do
  local rule, expected = ARGV[4 * i - 3], ARGV[4 * i - 2]
  if rule == 'equal' and redis.call('GET', key) ~= expected then return 0 end
  if rule == 'absent' and redis.call('EXISTS', key) == 1 then return 0 end
end
for i, key in ipairs(KEYS) do
  if ARGV[4 * i - 1] == 'put' then redis.call('SET', key, ARGV[4 * i]) else redis.call('DEL', key) end
end
return 1`;

/**
 * Records in Redis 6 or newer, keys under `postern:`; a commit is one script. As durable as the server's
 * `appendonly` and `appendfsync` make it.
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
  return guardStorage(
    {
      name: 'redis',
      shared: true,
      driver,
      commit: async (changes) =>
        (await redis.eval(COMMIT, changes.length, ...keysOf(changes), ...rulesOf(changes))) === 1,
      close: async () => redis.disconnect(),
    },
    reasonOf,
  );
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
