import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Spares the machine a program that ends before it answers anything: it is started again after a pause that doubles. */
export class StartBackOff {
  readonly #clock: Clock;
  #failures = 0;
  #reason: GatewayError | undefined;
  #untilMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws GatewayError upstream_unavailable during a pause, naming the last failure */
  admit(): void {
    const retryInMs = this.#untilMs - this.#clock.monotonicMs();
    if (this.#reason === undefined || retryInMs <= 0) return;
    throw new GatewayError('upstream_unavailable', `the program could not be started: ${this.#reason.message}`, {
      ...(this.#reason.hint !== undefined && { hint: this.#reason.hint }),
      details: { reason: this.#reason.code, retryInMs: Math.round(retryInMs) },
    });
  }

  succeeded(): void {
    this.#failures = 0;
    this.#reason = undefined;
  }

  failed(reason: GatewayError): void {
    this.#reason = reason;
    this.#untilMs = this.#clock.monotonicMs() + Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures++;
  }
}
