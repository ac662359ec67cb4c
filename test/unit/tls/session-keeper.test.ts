import { expect, test } from 'vitest';
import { createSessionKeeper } from '../../../adapters/node-compat/dialer/session-keeper.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const MINUTE_MS = 60_000;

test('offers the latest session for ten minutes after the handshake that checked the server', () => {
  const clock = new ManualClock();
  const keeper = createSessionKeeper(clock, true);
  expect(keeper.offer()).toBeUndefined();
  keeper.keep(Buffer.from('full'), []);
  clock.advance(9 * MINUTE_MS);
  keeper.keep(Buffer.from('resumed'), []);
  expect(keeper.offer()?.session.toString()).toBe('resumed');
  clock.advance(MINUTE_MS);
  expect(keeper.offer()).toBeUndefined();
  keeper.keep(Buffer.from('full again'), []);
  clock.advance(9 * MINUTE_MS);
  expect(keeper.offer()?.session.toString()).toBe('full again');
});

test('keeps nothing for pinned profiles', () => {
  const keeper = createSessionKeeper(new ManualClock(), false);
  keeper.keep(Buffer.from('full'), []);
  expect(keeper.offer()).toBeUndefined();
});
