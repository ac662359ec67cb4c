import type { Clock } from '../base/clock.ts';
import type { ErrorCode, GatewayError } from '../base/errors.ts';
import { countsAgainstUpstream, wasEndedHere, type Breaker, type BreakerState } from './breaker.ts';

/** How an upstream fares, with the reason when it does not fare well. */
export interface HealthState {
  readonly status: 'unknown' | 'healthy' | 'failing';
  readonly reason?: HealthReason;
  /** ISO 8601. */
  readonly lastSuccessAt?: string;
  /** ISO 8601; when a request will be let through again, present while the breaker is open. */
  readonly nextProbeAt?: string;
  readonly consecutiveFailures: number;
  readonly breaker: BreakerState;
}

/** Why the last attempt failed. */
export interface HealthReason {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What was tried when it failed. */
export type Attempt = 'call' | 'connect' | 'probe' | 'listing';

export interface HealthObserver {
  onFailing(reason: HealthReason, during: Attempt): void;
  onRecovered(): void;
  onBreakerOpened(code: ErrorCode, retryInMs: number): void;
}

/**
 * Turns outcomes into a state with a reason. A relayed call that was answered at all proves the upstream fit; only
 * failures to reach it, and failed probes, make it failing.
 */
export class Health {
  readonly #clock: Clock;
  readonly #breaker: Breaker;
  readonly #observer: HealthObserver;
  #status: HealthState['status'] = 'unknown';
  #reason: HealthReason | undefined;
  /** Why the last listing could not be read, where calls go well all the same. */
  #listingReason: HealthReason | undefined;
  #lastSuccessMs: number | undefined;

  constructor(clock: Clock, breaker: Breaker, observer: HealthObserver) {
    this.#clock = clock;
    this.#breaker = breaker;
    this.#observer = observer;
  }

  get state(): HealthState {
    const { consecutiveFailures, state: breaker, retryInMs } = this.#breaker;
    const reason = this.#reason ?? this.#listingReason;
    return {
      status: this.isFailing ? 'failing' : this.#status,
      consecutiveFailures,
      breaker,
      ...(reason && { reason }),
      ...(this.#lastSuccessMs !== undefined && { lastSuccessAt: isoOf(this.#lastSuccessMs) }),
      ...(breaker === 'open' && { nextProbeAt: isoOf(this.#clock.nowMs() + retryInMs) }),
    };
  }

  /** Whether the status is `failing`. */
  get isFailing(): boolean {
    return this.#status === 'failing' || this.#listingReason !== undefined;
  }

  /** Whether it could not be reached, or did not answer, when it was last asked anything. */
  get isDown(): boolean {
    return this.#breaker.consecutiveFailures > 0;
  }

  /** Records that the upstream did what was asked. */
  succeeded(): void {
    this.#breaker.succeeded();
    this.#lastSuccessMs = this.#clock.nowMs();
    this.#reason = undefined;
    const recovered = this.#status === 'failing';
    this.#status = 'healthy';
    if (recovered && !this.isFailing) this.#observer.onRecovered();
  }

  /** Records that everything it lists could be read. */
  listed(): void {
    if (this.#listingReason === undefined) return;
    this.#listingReason = undefined;
    if (!this.isFailing) this.#observer.onRecovered();
  }

  /** Records that a listing could not be read, which no other success makes good. */
  listingFailed(error: GatewayError): void {
    const first = !this.isFailing;
    this.#listingReason = this.#reasonOf(error);
    if (first) this.#observer.onFailing(this.#listingReason, 'listing');
  }

  /** Records an answer that shows the upstream alive but not that it is ours to use: a refusal, an unknown path. */
  answered(): void {
    this.#breaker.succeeded();
  }

  /** Records the failure of a relayed call: what a caller got wrong changes nothing. */
  callFailed(error: GatewayError): void {
    if (countsAgainstUpstream(error)) this.#failed(error, 'call');
    else this.#breaker.abandoned();
  }

  /** Records the failure of our own probe or connect: whatever the reason, this upstream cannot be used. */
  attemptFailed(error: GatewayError, during: Attempt): void {
    if (error.code === 'call_cancelled' || wasEndedHere(error)) this.#breaker.abandoned();
    else this.#failed(error, during);
  }

  #failed(error: GatewayError, during: Attempt): void {
    const reason = this.#reasonOf(error);
    const first = !this.isFailing;
    this.#status = 'failing';
    this.#reason = reason;
    if (first) this.#observer.onFailing(reason, during);
    if (countsAgainstUpstream(error)) {
      if (this.#breaker.failed(reason)) this.#observer.onBreakerOpened(error.code, Math.round(this.#breaker.retryInMs));
    } else this.#breaker.abandoned();
  }

  #reasonOf({ code, message, hint }: GatewayError): HealthReason {
    return { code, message, ...(hint !== undefined && { hint }), at: isoOf(this.#clock.nowMs()) };
  }
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
