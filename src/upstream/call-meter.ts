import type { Clock } from '../base/clock.ts';
import type { ErrorCode, GatewayError } from '../base/errors.ts';

export type Outcome = 'ok' | ErrorCode;

/** Times one call and reports it once: when its body has ended, or when it failed. */
export class CallMeter {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #report: (outcome: Outcome, durationMs: number) => void;
  #outcome: Outcome | undefined;
  #endedEarly = false;
  #reported = false;

  constructor(clock: Clock, report: (outcome: Outcome, durationMs: number) => void) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    this.#report = report;
  }

  /** To be given to the channel; a short body may end before its status was seen here. */
  readonly onEnd = (failure: GatewayError | undefined): void => {
    if (failure) this.failed(failure.code);
    else if (this.#outcome === undefined) this.#endedEarly = true;
    else this.#finish(this.#outcome);
  };

  answered(status: number): void {
    this.#outcome = outcomeOf(status);
    if (this.#endedEarly) this.#finish(this.#outcome);
  }

  failed(code: ErrorCode): void {
    this.#finish(code);
  }

  #finish(outcome: Outcome): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#report(outcome, this.#clock.monotonicMs() - this.#startedMs);
  }
}

function outcomeOf(status: number): Outcome {
  if (status === 401 || status === 403) return 'upstream_auth_refused';
  if (status >= 300 && status < 400) return 'upstream_redirect';
  return status >= 500 ? 'upstream_http_status' : 'ok';
}
