import type { CancelSignal } from './cancel-signal.ts';
import type { Clock } from './clock.ts';

/** Resolves after so many milliseconds, or as soon as `signal` aborts. */
export function pause(clock: Clock, delayMs: number, signal?: CancelSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
  });
}

/** What `work` comes to, or undefined when that takes longer than so many milliseconds; `work` itself goes on. */
export function within<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => resolve(undefined));
    work.then(resolve, reject).finally(cancel);
  });
}
