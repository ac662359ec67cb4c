import type { Clock } from '../base/clock.ts';
import { toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';

/** Whether the store can be reached, as far as rotation has tried; what serves goes on without it. */
export class StoreLink {
  readonly #clock: Clock;
  readonly #events: EventSink;
  #lostAtMs: number | undefined;

  constructor(clock: Clock, events: EventSink) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Milliseconds since the epoch; undefined while it can be reached. */
  get lostAtMs(): number | undefined {
    return this.#lostAtMs;
  }

  /** As `attempt`, but for a store that is gone. @throws GatewayError store_unavailable */
  async unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
    let gone: unknown;
    const result = await this.attempt(() =>
      work().catch((error: unknown) => {
        if (toGatewayError(error).code === 'store_unavailable') gone = error;
        throw error;
      }),
    );
    if (gone !== undefined) throw gone;
    return result;
  }

  /** What `work` comes to, or undefined where the store fails it: reported once, until it works again. Never rejects. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      if (this.#lostAtMs !== undefined)
        this.#events('rotation.store_back', { lostMs: this.#clock.nowMs() - this.#lostAtMs });
      this.#lostAtMs = undefined;
      return result;
    } catch (error) {
      const { code, message } = toGatewayError(error);
      if (this.#lostAtMs === undefined) this.#events('rotation.store_lost', { code, message });
      this.#lostAtMs ??= this.#clock.nowMs();
      return undefined;
    }
  }
}
