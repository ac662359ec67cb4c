import { setTimeout } from 'node:timers/promises';

export interface PollOptions {
  readonly timeoutMs: number;
  /** Milliseconds that only move forward. */
  readonly nowMs?: () => number;
  /** Keeps the process alive, unlike the clock of a gateway. */
  readonly pause?: (delayMs: number) => Promise<unknown>;
}

const FIRST_MS = 100;
const LONGEST_MS = 1_000;
const GROWTH = 1.5;

/** Looks until what is seen is enough, or the time is over; at once, then after pauses that grow. What was seen last. */
export async function poll<T>(
  look: () => Promise<T>,
  isEnough: (seen: T) => boolean,
  { timeoutMs, nowMs = () => performance.now(), pause = setTimeout }: PollOptions,
): Promise<T> {
  const endMs = nowMs() + timeoutMs;
  for (let delayMs = FIRST_MS; ; delayMs = Math.min(delayMs * GROWTH, LONGEST_MS)) {
    const seen = await look();
    const leftMs = endMs - nowMs();
    if (leftMs <= 0 || isEnough(seen)) return seen;
    await pause(Math.min(delayMs, leftMs));
  }
}
