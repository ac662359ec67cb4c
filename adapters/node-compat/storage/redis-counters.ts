import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { SharedCounters } from '../../../src/index.ts';

/**
 * Takes up to ARGV[1] tokens out of a bucket of ARGV[2] that gains one in ARGV[3] microseconds. The bucket is the time at
 * which it will be full again, by the clock of the server, so that those of the instances need not agree.
 */
const TAKE = `
local wanted, burst, interval = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now))
local left = math.floor((now + burst * interval - full) / interval + 0.0001)
local granted = math.max(0, math.min(wanted, left))
if granted > 0 then
  full = full + granted * interval
  redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
end
local retry = 0
if granted == 0 then retry = math.max(1, math.ceil((full + interval - now - burst * interval) / 1000)) end
return { granted, math.max(0, left - granted), retry, math.ceil((full - now) / 1000) }`;

const MICROS = 1000;

/** Buckets in Redis, under `<prefix>:limit:` and a hash: a key may be long, and names callers. */
export function redisCounters(redis: Redis, prefix: string): SharedCounters {
  return {
    async take({ key, burst, intervalMs }, wanted) {
      const name = `${prefix}:limit:${createHash('sha256').update(key).digest('base64url')}`;
      const taken = (await redis.eval(TAKE, 1, name, wanted, burst, intervalMs * MICROS)) as number[];
      const [granted = 0, left = 0, retryInMs = 0, fullInMs = 0] = taken;
      return { granted, left, retryInMs, fullInMs };
    },
  };
}
