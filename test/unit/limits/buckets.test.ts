import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Buckets } from '../../../src/limits/buckets.ts';
import { parseLimits } from '../../../src/limits/parse-limits.ts';
import type { Rate } from '../../../src/limits/limit-rule.ts';

const rateOf = (rate: string, burst?: number): Rate => {
  const [rule] = parseLimits([{ per: 'subject', rate, ...(burst !== undefined && { burst }) }]);
  if (rule?.rate === undefined) throw new Error('no rate');
  return rule.rate;
};

/** Takes one if there is one. */
function ask(buckets: Buckets, key: string, nowMs: number): boolean {
  if (buckets.waitMs(key, nowMs) > 0) return false;
  buckets.take(key, nowMs);
  return true;
}

test('a burst is let through, then one at a time, at an even rate', () => {
  const buckets = new Buckets(rateOf('60/minute', 3), 10);
  expect([1, 2, 3, 4].map(() => ask(buckets, 'ann', 0))).toEqual([true, true, true, false]);
  expect(buckets.waitMs('ann', 0)).toBe(1000);
  expect(buckets.state('ann', 0)).toEqual({ left: 0, fullInMs: 3000 });
  expect(ask(buckets, 'ann', 999)).toBe(false);
  expect([ask(buckets, 'ann', 1000), ask(buckets, 'ann', 1000)]).toEqual([true, false]);
  expect(buckets.state('ann', 60_000)).toEqual({ left: 3, fullInMs: 0 });
});

test('what cannot be divided is not lost: all of a rate comes at once where nothing is said of a burst', () => {
  for (const rate of ['3/minute', '7/second', '11/hour', '1000000/day']) {
    const buckets = new Buckets(rateOf(rate), 10);
    const { count } = rateOf(rate);
    const asked = Math.min(count, 2000);
    for (let index = 0; index < asked; index++) expect(ask(buckets, 'ann', 0.1)).toBe(true);
    expect(buckets.state('ann', 0.1).left).toBe(count - asked);
    if (asked === count) expect(ask(buckets, 'ann', 0.1)).toBe(false);
  }
});

test('within any time no more passes than the burst and what the rate adds, and no less where more is asked for', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), (pauses, burst) => {
      const buckets = new Buckets(rateOf('600/minute', burst), 10);
      const passed: number[] = [];
      let nowMs = 0;
      for (const pauseMs of pauses) {
        nowMs += pauseMs;
        const { left } = buckets.state('ann', nowMs);
        const isLetThrough = ask(buckets, 'ann', nowMs);
        expect(isLetThrough).toBe(left > 0);
        if (isLetThrough) passed.push(nowMs);
      }
      for (const [from, startMs] of passed.entries())
        for (const [to, endMs] of passed.entries())
          expect(to - from + 1 <= burst + (endMs - startMs) / 100 + 1e-6 || to < from).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('a full bucket takes no place, and one that is in use is never forgotten', () => {
  const buckets = new Buckets(rateOf('60/minute', 1), 100);
  for (let index = 0; index < 100; index++) ask(buckets, `caller ${index}`, index);
  expect(buckets.size).toBe(100);
  // there is no place left: who comes now shares one
  expect([ask(buckets, 'new', 200), ask(buckets, 'newer', 200)]).toEqual([true, false]);
  expect(buckets.size).toBe(101);
  expect(ask(buckets, 'caller 99', 201)).toBe(false);
  // the first fifty are full again by now
  expect([ask(buckets, 'new', 1500), ask(buckets, 'newer', 1500)]).toEqual([true, true]);
  expect(buckets.size).toBeLessThanOrEqual(101);
});
