import type { Clock } from '../base/clock.ts';
import { GatewayError, type ErrorCode, type Stage } from '../base/errors.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

/** How many failures in a row open the breaker. */
const THRESHOLD_COUNT = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Layers at which every failure means that the upstream could not be reached, or was lost. */
const SIGNS_OF_UNFITNESS: ReadonlySet<Stage> = new Set(['dns', 'tcp', 'tls', 'process']);

const ENDED_HERE: ReadonlySet<ErrorCode> = new Set([
  'channel_closed',
  'connection_cut',
  'drain_timeout',
  'identity_withdrawn',
]);

/**
 * Whether a failure says something about the upstream's fitness: it could not be dialled, was lost, or did not answer.
 * What a caller or an operator got wrong, and answers of any kind below 500, do not.
 */
export function countsAgainstUpstream(error: GatewayError): boolean {
  const { stage } = error.facts;
  if (wasEndedHere(error) || error.code === 'process_limit_reached') return false;
  return SIGNS_OF_UNFITNESS.has(stage) || error.code === 'upstream_timeout' || isServerError(error);
}

/** Whether it was this gateway that ended a request, which says nothing about the upstream. */
export function wasEndedHere({ code }: GatewayError): boolean {
  return ENDED_HERE.has(code);
}

function isServerError({ code, details }: GatewayError): boolean {
  return code === 'upstream_http_status' && Number(details?.['status']) >= 500;
}

/**
 * Spares a failing upstream: after five failures in a row requests fail at once for a pause that doubles from 1 s to
 * 60 s, with jitter; then a single trial decides.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #pauses = 0;
  #openUntilMs = 0;
  #trial = false;
  #reason: { readonly code: ErrorCode; readonly message: string } | undefined;

  /** @param random uniform in [0, 1) */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  get state(): BreakerState {
    if (this.#pauses === 0) return 'closed';
    return this.#trial || this.retryInMs === 0 ? 'half-open' : 'open';
  }

  /** Milliseconds until a trial is let through; 0 when requests or a trial may go. */
  get retryInMs(): number {
    return this.#pauses === 0 ? 0 : Math.max(0, this.#openUntilMs - this.#clock.monotonicMs());
  }

  get consecutiveFailures(): number {
    return this.#failures;
  }

  /**
   * Lets a request through, or not.
   *
   * @throws GatewayError upstream_unavailable, naming the failure that opened the breaker
   */
  admit(): void {
    if (this.#pauses === 0) return;
    if (!this.#trial && this.retryInMs === 0) {
      this.#trial = true;
      return;
    }
    const reason = this.#reason;
    throw new GatewayError(
      'upstream_unavailable',
      `the upstream keeps failing: ${reason?.message ?? 'no reason known'}`,
      {
        hint: 'the gateway tries it again by itself; health and check of this gateway say more',
        details: { reason: reason?.code, retryInMs: this.retryInMs },
      },
    );
  }

  /** Records an answer; closes the breaker. */
  succeeded(): void {
    this.#failures = 0;
    this.#pauses = 0;
    this.#trial = false;
  }

  /** Records that an admitted request ended without telling anything about the upstream. */
  abandoned(): void {
    this.#trial = false;
  }

  /** Records a failure; true when it opened the breaker, or kept it open for another pause. */
  failed(reason: { readonly code: ErrorCode; readonly message: string }): boolean {
    this.#failures++;
    this.#reason = reason;
    const wasTrial = this.#trial;
    this.#trial = false;
    if (this.#pauses > 0 ? !wasTrial && this.retryInMs > 0 : this.#failures < THRESHOLD_COUNT) return false;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#pauses, LONGEST_PAUSE_MS);
    // between half and all of the pause, so that gateways that failed together do not try together
    this.#openUntilMs = this.#clock.monotonicMs() + pauseMs * (0.5 + this.#random() / 2);
    this.#pauses++;
    return true;
  }
}
