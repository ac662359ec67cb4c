import { deepEqual } from 'node:assert/strict';
import { bench, do_not_optimize as keep, summary } from 'mitata';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { LeasedCache } from '../../src/base/leased-cache.ts';

const KEYS = 100;

/** Leasing a value that is there and giving it back, beside a Map that never forgets. */
export async function benchCacheHit(): Promise<void> {
  const cache = new LeasedCache<object>({ maxIdle: KEYS, clock: systemClock, dispose: () => undefined });
  const values = new Map(Array.from({ length: KEYS }, (_, index) => [`key-${index}`, { index }]));
  const build = (): never => {
    throw new Error('a hit builds nothing');
  };
  for (const [key, value] of values) (await cache.lease(key, async () => value)).release();

  const ours = async (): Promise<object> => {
    const lease = await cache.lease('key-42', build);
    lease.release();
    return lease.value;
  };
  const bare = async (): Promise<object | undefined> => values.get('key-42');
  deepEqual((await ours()) === (await bare()), true);

  summary(() => {
    bench('cache: Map behind a promise', async () => keep(await bare()));
    bench('cache: lease and release', async () => keep(await ours()));
  });
}
