import { beforeEach, expect, test } from 'vitest';
import { mintPrincipal } from '../../../src/identity/principal.ts';
import { Buckets } from '../../../src/limits/buckets.ts';
import { LeasedBuckets } from '../../../src/limits/leased-buckets.ts';
import { Limiter } from '../../../src/limits/limiter.ts';
import { SharedLink } from '../../../src/limits/shared-link.ts';
import { readLimits } from '../../../src/limits/short-form.ts';
import type { SharedCounters } from '../../../src/store/driver.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import type { RecordedEvents } from '../../support/recorded-events.ts';

/** What a store does, by the same arithmetic as one instance. */
class Counted implements SharedCounters {
  readonly asked: number[] = [];
  isGone = false;
  isSilent = false;
  readonly #clock: ManualClock;
  readonly #buckets = new Map<string, Buckets>();

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  async take({ key, burst, intervalMs }: Parameters<SharedCounters['take']>[0], wanted: number) {
    this.asked.push(wanted);
    if (this.isSilent) return new Promise<never>(() => undefined);
    if (this.isGone) throw new Error('gone');
    const rate = { count: 1, periodMs: intervalMs, burst };
    const buckets = this.#buckets.get(key) ?? new Buckets(rate, 10);
    this.#buckets.set(key, buckets);
    const nowMs = this.#clock.nowMs();
    let granted = 0;
    while (granted < wanted && buckets.waitMs('', nowMs) === 0) {
      buckets.take('', nowMs);
      granted++;
    }
    const { left, fullInMs } = buckets.state('', nowMs);
    return { granted, left, retryInMs: granted > 0 ? 0 : buckets.waitMs('', nowMs), fullInMs };
  }
}

let clock: ManualClock;
let counters: Counted;
let recorded: RecordedEvents;
beforeEach(() => {
  clock = new ManualClock();
  counters = new Counted(clock);
  recorded = recordEvents();
});

function instance(limits: string): Limiter {
  const link = new SharedLink(counters, clock, recorded.sink);
  const limiter = new Limiter({
    clock,
    events: recorded.sink,
    share: ({ name }, rate, own) => new LeasedBuckets({ name, rate, own, link, clock }),
  });
  limiter.use(readLimits(limits));
  return limiter;
}

const principal = mintPrincipal({ subject: 'ann', role: 'user', method: 'token' });
const call = { principal, address: undefined, gateway: undefined, tool: undefined };
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** How many of so many calls, one after the other, are let through. */
async function passed(count: number, ...limiters: readonly Limiter[]): Promise<number> {
  let sum = 0;
  for (let index = 0; index < count; index++)
    for (const limiter of limiters) if ((await limiter.admit(call)).allowed) sum++;
  await settled();
  return sum;
}

test('instances let through together what one would, and ask seldom', async () => {
  const limits = 'subject=6000/minute,burst=100';
  const fleet = [instance(limits), instance(limits)];
  const sum = await passed(80, ...fleet);
  // a lease of each may be left
  expect(sum).toBeGreaterThanOrEqual(100 - 2 * 15);
  expect(sum).toBeLessThanOrEqual(100);
  expect(counters.asked.length).toBeLessThanOrEqual(14);
  expect(await passed(10, ...fleet)).toBeLessThanOrEqual(100 - sum);
  const before = counters.asked.length;
  // whoever was told when to come back is not asked about until then
  await passed(10, ...fleet);
  expect(counters.asked.length - before).toBeLessThanOrEqual(2);
});

test('a warm call waits for nobody', async () => {
  const limiter = instance('subject=6000/minute,burst=100');
  expect(limiter.admit(call)).toBeInstanceOf(Promise);
  await settled();
  for (let index = 0; index < 60; index++) {
    expect(limiter.admit(call)).not.toBeInstanceOf(Promise);
    await settled();
    clock.advance(10);
  }
});

test('a thousand who come at once wait for few answers', async () => {
  const limiter = instance('subject=60000/minute,burst=1000');
  const all = await Promise.all(Array.from({ length: 1100 }, async () => limiter.admit(call)));
  expect(all.filter(({ allowed }) => allowed).length).toBe(1000);
  expect(counters.asked.length).toBeLessThan(10);
});

test('a caller that comes now and then uses up what it uses', async () => {
  const limiter = instance('subject=6/minute,burst=2');
  for (let index = 0; index < 20; index++) {
    expect(await passed(1, limiter)).toBe(1);
    clock.advance(10_000);
  }
});

test('what was leased and not used is lost', async () => {
  const limiter = instance('subject=600/hour,burst=60');
  expect(await passed(1, limiter)).toBe(1);
  clock.advance(5_000);
  expect(limiter.admit(call)).toBeInstanceOf(Promise);
});

test.each(['isGone', 'isSilent'] as const)(
  'while the store %s each instance counts for itself, from where it was, and says so once',
  async (how) => {
    const limiter = instance('subject=60/hour,burst=10');
    expect(await passed(4, limiter)).toBe(4);
    counters[how] = true;
    clock.advance(6_000);
    const waiting = limiter.admit(call);
    await settled();
    clock.advance(250);
    expect((await waiting).allowed).toBe(true);
    expect(limiter.admit(call)).toMatchObject({ allowed: true });
    expect(await passed(20, limiter)).toBe(4);
    const asked = counters.asked.length;
    await passed(20, limiter);
    expect(counters.asked.length).toBe(asked);
    clock.advance(1_000);
    await passed(20, limiter);
    clock.advance(250);
    await settled();
    expect(counters.asked.length).toBe(asked + 1);
    expect(recorded.of('limits.apart')).toEqual([expect.objectContaining({ message: expect.any(String) as unknown })]);
    counters[how] = false;
    clock.advance(1_000);
    await passed(1, limiter);
    expect(recorded.count('limits.together')).toBe(1);
  },
);
