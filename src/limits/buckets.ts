import { intervalMs } from './limit-rule.ts';
import type { Rate } from './limit-rule.ts';

/** What a bucket holds. */
export interface BucketState {
  /** What may be taken at once. */
  readonly left: number;
  /** Until it is full again. */
  readonly fullInMs: number;
}

/** Of whoever comes when all places are taken by others who used something up. */
const EVERYBODY_ELSE = '';
/** Between two looks for buckets that are full again. */
const SWEEP_MS = 1_000;
/** Three times a third of a minute is not quite a minute. */
const ROUNDING_MS = 1e-3;

/**
 * Token buckets of one rate, by key: the generic cell rate algorithm keeps one number for each, the time at which it
 * will be full again. A full bucket is as good as none, so only those in use take memory; when there are `maxCount` of
 * them nobody is forgotten, and whoever comes then shares one.
 *
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export class Buckets {
  readonly #fullAtMs = new Map<string, number>();
  readonly #intervalMs: number;
  readonly #depthMs: number;
  readonly #maxCount: number;
  #nextSweepMs = Number.NEGATIVE_INFINITY;

  constructor(rate: Rate, maxCount: number) {
    this.#intervalMs = intervalMs(rate);
    this.#depthMs = rate.burst * this.#intervalMs;
    this.#maxCount = maxCount;
  }

  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Milliseconds until one may be taken; 0 for now. */
  waitMs(key: string, nowMs: number): number {
    const waitMs = this.#fullAt(key, nowMs) + this.#intervalMs - this.#depthMs - nowMs;
    return waitMs < ROUNDING_MS ? 0 : waitMs;
  }

  /** Takes one, also where there is none: ask before. */
  take(key: string, nowMs: number): void {
    const fullAtMs = this.#fullAt(key, nowMs) + this.#intervalMs;
    this.#fullAtMs.set(this.#placeOf(key, nowMs), fullAtMs);
  }

  state(key: string, nowMs: number): BucketState {
    const fullInMs = this.#fullAt(key, nowMs) - nowMs;
    return { left: Math.max(0, Math.floor((this.#depthMs - fullInMs + ROUNDING_MS) / this.#intervalMs)), fullInMs };
  }

  /** Whether something was taken that is not there again. */
  isInUse(key: string, nowMs: number): boolean {
    return (this.#fullAtMs.get(key) ?? nowMs) > nowMs;
  }

  #fullAt(key: string, nowMs: number): number {
    let fullAtMs = this.#fullAtMs.get(key);
    if (fullAtMs === undefined && this.#fullAtMs.size >= this.#maxCount)
      fullAtMs = this.#fullAtMs.get(this.#placeOf(key, nowMs));
    return fullAtMs === undefined || fullAtMs < nowMs ? nowMs : fullAtMs;
  }

  #placeOf(key: string, nowMs: number): string {
    if (this.#fullAtMs.size < this.#maxCount || this.#fullAtMs.has(key)) return key;
    if (nowMs >= this.#nextSweepMs) {
      this.#nextSweepMs = nowMs + SWEEP_MS;
      for (const [other, fullAtMs] of this.#fullAtMs) if (fullAtMs <= nowMs) this.#fullAtMs.delete(other);
    }
    return this.#fullAtMs.size < this.#maxCount ? key : EVERYBODY_ELSE;
  }
}
