import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { StartBackOff } from '../../../src/upstream/stdio/start-back-off.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('each failed start doubles the pause, a good one ends it', () => {
  const clock = new ManualClock();
  const starts = new StartBackOff(clock);
  const pauseMs = (): number => {
    try {
      starts.admit();
      return 0;
    } catch (error) {
      expect(error).toMatchObject({ code: 'upstream_unavailable', hint: 'see there' });
      return Number((error as GatewayError).details?.['retryInMs']);
    }
  };
  expect(pauseMs()).toBe(0);
  for (const expected of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    starts.failed(new GatewayError('process_exited', 'the program ended with exit code 1', { hint: 'see there' }));
    expect(pauseMs()).toBe(expected);
    clock.advance(expected);
    expect(pauseMs()).toBe(0);
  }
  starts.succeeded();
  starts.failed(new GatewayError('process_exited', 'again', { hint: 'see there' }));
  expect(pauseMs()).toBe(1_000);
});
