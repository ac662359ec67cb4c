import type { Clock } from '../base/clock.ts';
import { toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';

export interface UpkeepOptions {
  readonly clock: Clock;
  readonly events: EventSink;
  /** Milliseconds between two visits of a gateway that fares well, and the longest pause for one that does not. */
  readonly intervalMs: number;
  /** One visit; false when the gateway does not fare well. */
  readonly visit: (id: string) => Promise<boolean>;
}

const FIRST_RETRY_MS = 1_000;

/** Visits every gateway at once and then again and again: in turn after the interval, sooner with back-off after a failure. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  /** How to stop what is planned, by gateway. */
  readonly #planned = new Map<string, () => void>();

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** Takes up the gateways that are new and lets go of those that are gone. */
  follow(ids: ReadonlySet<string>): void {
    for (const [id, stop] of this.#planned) if (!ids.has(id)) this.#forget(id, stop);
    for (const id of ids) if (!this.#planned.has(id)) this.#plan(id, 0, 0);
  }

  /** Visits one now instead of in its turn. */
  soon(id: string): void {
    const stop = this.#planned.get(id);
    if (stop === undefined) return;
    stop();
    this.#plan(id, 0, 0);
  }

  /** Lets go of all; a visit under way runs to its end. */
  stop(): void {
    for (const [id, stop] of this.#planned) this.#forget(id, stop);
  }

  #forget(id: string, stop: () => void): void {
    stop();
    this.#planned.delete(id);
  }

  #plan(id: string, delayMs: number, failures: number): void {
    let wanted = true;
    const cancel = this.#options.clock.after(delayMs, () => {
      void this.#visit(id).then((fine) => {
        if (wanted) this.#plan(id, this.#pauseMs(fine, failures), fine ? 0 : failures + 1);
      });
    });
    this.#planned.set(id, () => {
      wanted = false;
      cancel();
    });
  }

  /** Why an upstream cannot be reached is reported by the upstream itself. */
  async #visit(id: string): Promise<boolean> {
    try {
      return await this.#options.visit(id);
    } catch (error) {
      const { code, message } = toGatewayError(error);
      if (code === 'internal' || code === 'store_unavailable')
        this.#options.events('task.failed', { task: 'upkeep', message });
      return false;
    }
  }

  #pauseMs(fine: boolean, failures: number): number {
    const { intervalMs } = this.#options;
    return fine ? intervalMs : Math.min(FIRST_RETRY_MS * 2 ** failures, intervalMs);
  }
}
