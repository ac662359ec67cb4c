import { describe, expect, test } from 'vitest';
import { type CacheOutcome, LeasedCache } from '../../../src/base/leased-cache.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function setUp(options: { maxIdle: number; ttlMs?: number }) {
  const clock = new ManualClock();
  const disposed: string[] = [];
  const outcomes: CacheOutcome[] = [];
  const cache = new LeasedCache<string>({
    ...options,
    clock,
    dispose: (value) => void disposed.push(value),
    onUse: (outcome) => void outcomes.push(outcome),
  });
  let builds = 0;
  const lease = (key: string) => cache.lease(key, async () => `${key}${++builds}`);
  return { clock, disposed, outcomes, cache, lease, builds: () => builds };
}

/** Disposal of an idle value runs a microtask later. */
const settle = () => Promise.resolve();

describe('building', () => {
  test('callers at the same time share one build and each holds a lease', async () => {
    const { cache, lease, builds, outcomes, disposed } = setUp({ maxIdle: 0 });
    const [a, b] = await Promise.all([lease('k'), lease('k')]);
    expect([a.value, b.value, builds()]).toEqual(['k1', 'k1', 1]);
    expect(outcomes).toEqual(['miss', 'hit']);
    a.release();
    a.release();
    expect([cache.size, disposed]).toEqual([1, []]);
    b.release();
    await settle();
    expect([cache.size, disposed]).toEqual([0, ['k1']]);
  });

  test('a failed build is told to all who wait and the next caller builds again', async () => {
    const { cache, lease } = setUp({ maxIdle: 1 });
    const build = () => Promise.reject(new Error('no'));
    const [a, b] = await Promise.allSettled([cache.lease('k', build), cache.lease('k', build)]);
    expect([a.status, b.status, cache.size]).toEqual(['rejected', 'rejected', 0]);
    expect((await lease('k')).value).toBe('k1');
  });

  test('a release before another waiter has its value does not take it away', async () => {
    const { lease, builds, disposed } = setUp({ maxIdle: 0 });
    const second = lease('k');
    void lease('k').then((first) => first.release());
    const held = await second;
    await settle();
    expect([held.value, builds(), disposed]).toEqual(['k1', 1, []]);
  });
});

describe('the bound', () => {
  test('counts idle values only: what is leased is never evicted', async () => {
    const { cache, lease, builds, disposed } = setUp({ maxIdle: 2 });
    const held = await Promise.all(Array.from({ length: 10 }, (_, index) => lease(`k${index}`)));
    for (let round = 0; round < 5; round++) (await lease(`one-off ${round}`)).release();
    await settle();
    expect([cache.size, cache.idle, builds()]).toEqual([12, 2, 15]);
    expect(disposed).toEqual(['one-off 011', 'one-off 112', 'one-off 213']);
    for (const [index] of held.entries()) (await lease(`k${index}`)).release();
    expect(builds()).toBe(15);
  });

  test('the least recently used goes first', async () => {
    const { lease, disposed, outcomes } = setUp({ maxIdle: 2 });
    for (const key of ['a', 'b', 'a', 'c']) (await lease(key)).release();
    await settle();
    expect(disposed).toEqual(['b2']);
    expect(outcomes).toEqual(['miss', 'miss', 'hit', 'miss', 'evicted']);
  });
});

describe('age', () => {
  test('an old value is handed out no more, and disposed of when its last lease is back', async () => {
    const { clock, lease, disposed, outcomes } = setUp({ maxIdle: 5, ttlMs: 1_000 });
    const old = await lease('k');
    clock.advance(999);
    (await lease('k')).release();
    clock.advance(1);
    const fresh = await lease('k');
    expect([old.value, fresh.value, disposed]).toEqual(['k1', 'k2', []]);
    old.release();
    expect(disposed).toEqual(['k1']);
    expect(outcomes).toEqual(['miss', 'hit', 'expired', 'miss']);
    fresh.release();
    expect((await lease('k')).value).toBe('k2');
  });

  test('an idle value expires on its own', async () => {
    const { clock, cache, lease, disposed } = setUp({ maxIdle: 5, ttlMs: 1_000 });
    (await lease('k')).release();
    clock.advance(1_000);
    await settle();
    expect([cache.size, disposed, clock.pending]).toEqual([0, ['k1'], 0]);
  });
});

describe('leaving', () => {
  test('a discarded value is built anew for the next caller and disposed of when its last lease is back', async () => {
    const { lease, disposed } = setUp({ maxIdle: 5 });
    const [one, other] = [await lease('k'), await lease('k')];
    one.discard();
    expect((await lease('k')).value).toBe('k2');
    expect(disposed).toEqual([]);
    other.discard();
    other.release();
    expect(disposed).toEqual(['k1']);
    expect((await lease('k')).value).toBe('k2');
  });

  test('a value that was discarded while it lay idle and was leased again is gone for good', async () => {
    const { lease, disposed } = setUp({ maxIdle: 5 });
    (await lease('k')).release();
    (await lease('k')).discard();
    expect(disposed).toEqual(['k1']);
  });

  test('after close idle values are disposed of, leased ones when they are back, and nothing is built', async () => {
    const { cache, lease, disposed } = setUp({ maxIdle: 5, ttlMs: 1_000 });
    const held = await lease('held');
    (await lease('idle')).release();
    const building = lease('building');
    cache.close();
    cache.close();
    await expect(lease('new')).rejects.toMatchObject({ code: 'shutting_down' });
    expect(disposed).toEqual(['idle2']);
    held.release();
    (await building).release();
    expect(disposed).toEqual(['idle2', 'held1', 'building3']);
  });
});
