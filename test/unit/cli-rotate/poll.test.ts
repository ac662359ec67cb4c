import { expect, test } from 'vitest';
import { poll } from '../../../adapters/node-compat/cli/poll.ts';

/** Time that passes only while somebody waits. */
function waiting(lookMs = 0) {
  let now = 0;
  const pauses: number[] = [];
  let looks = 0;
  return {
    pauses,
    look: async () => {
      now += lookMs;
      return ++looks;
    },
    options: (timeoutMs: number) => ({
      timeoutMs,
      nowMs: () => now,
      pause: async (delayMs: number) => {
        pauses.push(delayMs);
        now += delayMs;
      },
    }),
  };
}

test('what is enough at once is not waited for', async () => {
  const { look, options, pauses } = waiting();
  expect(await poll(look, () => true, options(1000))).toBe(1);
  expect(pauses).toEqual([]);
});

test('pauses grow from a tenth of a second to a whole one', async () => {
  const { look, options, pauses } = waiting();
  expect(await poll(look, (seen) => seen === 10, options(60_000))).toBe(10);
  expect(pauses.map(Math.round)).toEqual([100, 150, 225, 338, 506, 759, 1000, 1000, 1000]);
});

test('when the time is over what was seen last is told, looked at once more at the very end', async () => {
  const { look, options, pauses } = waiting();
  expect(await poll(look, () => false, options(300))).toBe(4);
  expect(pauses).toEqual([100, 150, 50]);
});

test('a look that takes all the time is the only one', async () => {
  const { look, options, pauses } = waiting(500);
  expect(await poll(look, () => false, options(300))).toBe(1);
  expect(pauses).toEqual([]);
});
