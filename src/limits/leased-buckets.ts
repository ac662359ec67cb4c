import type { Clock } from '../base/clock.ts';
import type { Buckets, BucketState } from './buckets.ts';
import { intervalMs } from './limit-rule.ts';
import type { Rate } from './limit-rule.ts';
import type { RateCounter } from './meter.ts';
import { Places } from './places.ts';
import type { SharedLink } from './shared-link.ts';

/** Of one rule, as many as there are places for callers of this instance alone. */
const MAX_LEASES = 10_000;
/** What was taken and not used by then is lost. */
const LEASE_MS = 5_000;
/** Taken at once, as a part of what may come at once. */
const LEASE_SHARE = 0.1;
const MAX_LEASED = 100;

/** What this instance may hand out by itself. */
interface Lease {
  count: number;
  untilMs: number;
  /** Nothing is there until then. */
  emptyUntilMs: number;
  /** In the shared bucket, as was told last. */
  left: number;
  fullAtMs: number;
  takenAtMs: number;
  waiting: number;
  asking: Promise<void> | undefined;
}

export interface LeasedBucketsOptions {
  /** Of the rule: other rules count apart. */
  readonly name: string;
  readonly rate: Rate;
  /** What counts while nobody does for all. */
  readonly own: Buckets;
  readonly link: SharedLink;
  readonly clock: Clock;
}

/**
 * Buckets that instances share. Some tokens are taken at once, so that most calls need not ask; they are out of the
 * shared bucket by then, and all instances together let no more through than it gives. Callers that come often are
 * fetched more before they run out.
 */
export class LeasedBuckets implements RateCounter {
  readonly #options: LeasedBucketsOptions;
  readonly #leases = new Places<Lease>(MAX_LEASES, isAtRest);
  readonly #intervalMs: number;
  readonly #size: number;

  constructor(options: LeasedBucketsOptions) {
    const { burst, count, periodMs } = options.rate;
    this.#options = options;
    this.#intervalMs = intervalMs(options.rate);
    // no more than a second brings back
    const size = Math.min(burst * LEASE_SHARE, (count / periodMs) * 1000, MAX_LEASED);
    this.#size = Math.max(1, Math.floor(size));
  }

  ready(key: string, nowMs: number): Promise<void> | undefined {
    const { link } = this.#options;
    if (link.isLost) {
      if (link.mayRetry(nowMs)) void this.#ask(this.#leases.of(key, nowMs));
      return undefined;
    }
    const place = this.#leases.of(key, nowMs);
    const lease = this.#leases.get(place);
    if (lease && (isUsable(lease, nowMs) || nowMs < lease.emptyUntilMs)) return undefined;
    return this.#waited(place);
  }

  waitMs(key: string, nowMs: number): number {
    if (this.#options.link.isLost) return this.#options.own.waitMs(key, nowMs);
    const lease = this.#leases.get(this.#leases.of(key, nowMs));
    if (lease === undefined || isUsable(lease, nowMs)) return 0;
    return Math.max(0, lease.emptyUntilMs - nowMs);
  }

  take(key: string, nowMs: number): void {
    const { own, link } = this.#options;
    // kept up in case it has to decide alone
    own.take(key, nowMs);
    if (link.isLost) return;
    const place = this.#leases.of(key, nowMs);
    const lease = this.#leases.get(place);
    if (lease === undefined) return;
    const isFrequent = nowMs - lease.takenAtMs < LEASE_MS;
    lease.takenAtMs = nowMs;
    lease.count--;
    const isRunningOut = lease.count <= this.#size / 2 && nowMs >= lease.emptyUntilMs;
    if (isFrequent && isRunningOut) void this.#ask(place);
  }

  state(key: string, nowMs: number): BucketState {
    const { own, link } = this.#options;
    const lease = link.isLost ? undefined : this.#leases.get(this.#leases.of(key, nowMs));
    if (lease === undefined) return own.state(key, nowMs);
    const held = isUsable(lease, nowMs) ? lease.count : 0;
    return { left: held + lease.left, fullInMs: Math.max(0, lease.fullAtMs - nowMs) };
  }

  async #waited(place: string): Promise<void> {
    const lease = this.#leaseOf(place);
    lease.waiting++;
    try {
      await this.#ask(place);
    } finally {
      lease.waiting--;
    }
  }

  /** One question at a time for each place; who comes meanwhile waits for its answer, and may have to ask again. */
  #ask(place: string): Promise<void> {
    const lease = this.#leaseOf(place);
    return (lease.asking ??= this.#fill(place, lease).finally(() => (lease.asking = undefined)));
  }

  async #fill(place: string, lease: Lease): Promise<void> {
    const { name, rate, link, clock } = this.#options;
    const bucket = { key: `${name} ${place}`, burst: rate.burst, intervalMs: this.#intervalMs };
    // whoever comes at the same time is asked for as well
    await Promise.resolve();
    const taken = await link.take(bucket, Math.max(this.#size, lease.waiting));
    if (taken === undefined) return;
    const nowMs = clock.monotonicMs();
    lease.count = (isUsable(lease, nowMs) ? lease.count : 0) + taken.granted;
    lease.untilMs = nowMs + LEASE_MS;
    lease.emptyUntilMs = taken.granted > 0 ? 0 : nowMs + taken.retryInMs;
    lease.left = taken.left;
    lease.fullAtMs = nowMs + taken.fullInMs;
  }

  #leaseOf(place: string): Lease {
    let lease = this.#leases.get(place);
    if (lease === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      const times = { untilMs: never, emptyUntilMs: never, fullAtMs: never, takenAtMs: never };
      lease = { ...times, count: 0, left: 0, waiting: 0, asking: undefined };
      this.#leases.set(place, lease);
    }
    return lease;
  }
}

/** Who has something, waits for something or has to wait is not forgotten. */
const isAtRest = (lease: Lease, nowMs: number): boolean =>
  !isUsable(lease, nowMs) && nowMs >= lease.emptyUntilMs && lease.asking === undefined && lease.waiting === 0;
const isUsable = ({ count, untilMs }: Lease, nowMs: number): boolean => count > 0 && nowMs < untilMs;
