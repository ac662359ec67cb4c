import type { Clock } from '../../src/index.ts';

/** The clock of this machine; a waiting task keeps no process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => {
    // Beyond 24.8 days setTimeout overflows and fires at once.
    const timer = setTimeout(task, Math.min(delayMs, 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
