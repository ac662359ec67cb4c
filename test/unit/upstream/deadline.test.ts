import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { gatewayErrorOf, untilAborted, withDeadline } from '../../../src/upstream/deadline.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const never = () => new Promise<never>(() => {});

test('work that takes too long is told to stop, and is not waited for', async () => {
  const clock = new ManualClock();
  let told: AbortSignal | undefined;
  const work = withDeadline(clock, 1000, undefined, (signal) => ((told = signal), never()));
  clock.advance(1000);
  await expect(work).rejects.toMatchObject({ code: 'upstream_timeout' });
  expect(told?.aborted).toBe(true);
});

test('a caller who goes away ends the work', async () => {
  const caller = new AbortController();
  const work = withDeadline(new ManualClock(), 1000, caller.signal, never);
  caller.abort();
  await expect(work).rejects.toMatchObject({ code: 'call_cancelled' });
  await expect(untilAborted(never(), caller.signal)).rejects.toMatchObject({ code: 'call_cancelled' });
});

test('work that ends leaves no timer behind', async () => {
  const clock = new ManualClock();
  expect(await withDeadline(clock, 1000, undefined, async () => 'done')).toBe('done');
  expect(clock.pending).toBe(0);
});

test('the reason of a signal wins over what it made fail', () => {
  const reason = new GatewayError('upstream_timeout', 'late');
  const timedOut = AbortSignal.abort(reason);
  expect(gatewayErrorOf(new Error('aborted'), timedOut)).toBe(reason);
  expect(gatewayErrorOf(new Error('bug'), undefined)).toMatchObject({ code: 'internal' });
});
