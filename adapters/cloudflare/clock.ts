import type { Clock } from '../../src/index.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of the platform, which stands still while code runs and moves on with each answer from outside. */
export const platformClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, Math.min(delayMs, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
