import { beforeEach, expect, test } from 'vitest';
import { Burst } from '../../../adapters/node-compat/burst.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let ends: number[];
let burst: Burst;
beforeEach(() => {
  clock = new ManualClock();
  ends = [];
  burst = new Burst({ clock, quietMs: 100, limitMs: 1000, onEnd: () => void ends.push(clock.monotonicMs()) });
});

const signalEvery = (stepMs: number, count: number) => {
  for (let index = 0; index < count; index++) {
    burst.signal();
    clock.advance(stepMs);
  }
};

test('one signal ends after the quiet', () => {
  burst.signal();
  clock.advance(99);
  expect(ends).toEqual([]);
  clock.advance(1);
  expect(ends).toEqual([100]);
});

test('signals that follow each other closely are one burst, which ends after the last', () => {
  signalEvery(90, 5);
  expect(ends).toEqual([]);
  clock.advance(10);
  expect(ends).toEqual([460]);
});

test('a pause as long as the quiet parts two bursts', () => {
  signalEvery(100, 3);
  expect(ends).toEqual([100, 200, 300]);
});

test('a burst that does not end is taken for over at the limit, and the next begins with the next signal', () => {
  signalEvery(50, 60);
  clock.advance(1000);
  expect(ends).toEqual([1000, 2000, 3000]);
});

test('a thousand signals hold one timer', () => {
  for (let index = 0; index < 1000; index++) burst.signal();
  expect(clock.pending).toBe(1);
});

test('a cancelled burst is forgotten; the next begins anew', () => {
  burst.signal();
  burst.cancel();
  clock.advance(5000);
  expect(ends).toEqual([]);
  burst.signal();
  clock.advance(100);
  expect(ends).toEqual([5100]);
});
