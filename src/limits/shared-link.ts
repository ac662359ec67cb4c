import type { Clock } from '../base/clock.ts';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { within } from '../base/pause.ts';
import type { SharedBucket, SharedCounters, Taken } from '../store/driver.ts';

/** How long a call waits for the count of others. */
const PATIENCE_MS = 250;
/** Between two attempts while nobody keeps count. */
const RETRY_MS = 1_000;

/** The way to what instances count together, and whether it is open: said once when it is lost, and when it is back. */
export class SharedLink {
  readonly #counters: SharedCounters;
  readonly #clock: Clock;
  readonly #events: EventSink;
  #lostAtMs: number | undefined;
  #retryAtMs = 0;

  constructor(counters: SharedCounters, clock: Clock, events: EventSink) {
    this.#counters = counters;
    this.#clock = clock;
    this.#events = events;
  }

  get isLost(): boolean {
    return this.#lostAtMs !== undefined;
  }

  /** Whether it is time to try again, for the one who asks first. */
  mayRetry(nowMs: number): boolean {
    if (nowMs < this.#retryAtMs) return false;
    this.#retryAtMs = nowMs + RETRY_MS;
    return true;
  }

  /** Undefined where nobody keeps count. Never rejects. */
  async take(bucket: SharedBucket, wanted: number): Promise<Taken | undefined> {
    try {
      const taken = await within(this.#clock, PATIENCE_MS, this.#counters.take(bucket, wanted));
      if (taken === undefined) throw tooSlow();
      this.#found();
      return taken;
    } catch (error) {
      this.#lose(toGatewayError(error));
      return undefined;
    }
  }

  #lose({ code, message }: GatewayError): void {
    const nowMs = this.#clock.monotonicMs();
    this.#retryAtMs = nowMs + RETRY_MS;
    if (this.#lostAtMs !== undefined) return;
    this.#lostAtMs = nowMs;
    this.#events('limits.apart', { code, message });
  }

  #found(): void {
    if (this.#lostAtMs === undefined) return;
    const apartMs = this.#clock.monotonicMs() - this.#lostAtMs;
    this.#lostAtMs = undefined;
    this.#events('limits.together', { apartMs });
  }
}

const tooSlow = (): GatewayError =>
  new GatewayError('store_unavailable', `the store did not count within ${PATIENCE_MS} ms`);
