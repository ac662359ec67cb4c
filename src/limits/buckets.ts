import { intervalMs } from './limit-rule.ts';
import type { Rate } from './limit-rule.ts';
import { Places } from './places.ts';

/** What a bucket holds. */
export interface BucketState {
  /** What may be taken at once. */
  readonly left: number;
  /** Until it is full again. */
  readonly fullInMs: number;
}

/** Three times a third of a minute is not quite a minute. */
const ROUNDING_MS = 1e-3;

/**
 * Token buckets of one rate, by key: the generic cell rate algorithm keeps one number for each, the time at which it
 * will be full again. A full bucket is as good as none, so only those in use take memory.
 *
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export class Buckets {
  readonly #fullAtMs: Places<number>;
  readonly #intervalMs: number;
  readonly #depthMs: number;

  /** @param maxCount of buckets in use; whoever comes then shares one */
  constructor(rate: Rate, maxCount: number) {
    this.#intervalMs = intervalMs(rate);
    this.#depthMs = rate.burst * this.#intervalMs;
    this.#fullAtMs = new Places(maxCount, (fullAtMs, nowMs) => fullAtMs <= nowMs);
  }

  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Milliseconds until one may be taken; 0 for now. */
  waitMs(key: string, nowMs: number): number {
    const waitMs = this.#fullInMs(key, nowMs) + this.#intervalMs - this.#depthMs;
    return waitMs < ROUNDING_MS ? 0 : waitMs;
  }

  /** Takes one, also where there is none: ask before. */
  take(key: string, nowMs: number): void {
    const fullAtMs = nowMs + this.#fullInMs(key, nowMs) + this.#intervalMs;
    this.#fullAtMs.set(this.#fullAtMs.of(key, nowMs), fullAtMs);
  }

  state(key: string, nowMs: number): BucketState {
    const fullInMs = this.#fullInMs(key, nowMs);
    return { left: Math.max(0, Math.floor((this.#depthMs - fullInMs + ROUNDING_MS) / this.#intervalMs)), fullInMs };
  }

  #fullInMs(key: string, nowMs: number): number {
    const fullAtMs = this.#fullAtMs.get(this.#fullAtMs.of(key, nowMs)) ?? nowMs;
    return Math.max(0, fullAtMs - nowMs);
  }
}
