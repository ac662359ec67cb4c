import { expect, test } from 'vitest';
import { Cancellation } from '../../../src/base/cancel-signal.ts';
import { pause, within } from '../../../src/base/pause.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('a pause ends in time, or with its signal, and leaves no timer behind', async () => {
  const clock = new ManualClock();
  const whole = pause(clock, 100);
  clock.advance(100);
  await whole;
  const signal = new Cancellation();
  const cut = pause(clock, 100, signal);
  signal.abort('enough');
  await cut;
  await pause(clock, 100, signal);
  expect(clock.pending).toBe(0);
});

test('work that ends in time is what it came to, its failure included', async () => {
  const clock = new ManualClock();
  expect(await within(clock, 100, Promise.resolve('done'))).toBe('done');
  await expect(within(clock, 100, Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(clock.pending).toBe(0);
});

test('work that takes longer goes on, and may fail unheard', async () => {
  const clock = new ManualClock();
  const { promise, reject } = Promise.withResolvers<string>();
  const waited = within(clock, 100, promise);
  clock.advance(100);
  expect(await waited).toBeUndefined();
  reject(new Error('late'));
  await new Promise(setImmediate);
});

test('what follows a signal aborts for its reason, until it is let go', () => {
  const outer = new Cancellation();
  const [followed, letGo, late] = [new Cancellation(), new Cancellation(), new Cancellation()];
  followed.follow(outer);
  letGo.follow(outer)();
  outer.abort('gone');
  late.follow(outer);
  expect([followed, letGo, late].map(({ reason }) => reason)).toEqual(['gone', undefined, 'gone']);
});
