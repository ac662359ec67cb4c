import { beforeEach, expect, test } from 'vitest';
import { Bell } from '../../../src/session/bell.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let bell: Bell;
beforeEach(() => {
  clock = new ManualClock();
  bell = new Bell(clock);
});

test('a wait ends when its time is over', async () => {
  const waiting = bell.wait(100);
  clock.advance(99);
  expect(clock.pending).toBe(1);
  clock.advance(1);
  expect(await waiting).toBe(true);
});

test('ringing ends the present wait, or the next one, and one only', async () => {
  const waiting = bell.wait(100);
  bell.ring();
  expect(await waiting).toBe(true);
  bell.ring();
  bell.ring();
  expect(await bell.wait(100)).toBe(true);
  expect(clock.pending).toBe(0);
  void bell.wait(100);
  expect(clock.pending).toBe(1);
});

test('a bell that was stopped waits no more', async () => {
  const waiting = bell.wait(100);
  bell.stop();
  expect(await waiting).toBe(false);
  bell.ring();
  expect(await bell.wait(100)).toBe(false);
  expect(clock.pending).toBe(0);
});
