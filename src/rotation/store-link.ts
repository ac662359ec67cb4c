import type { Clock } from '../base/clock.ts';
import { toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';

/** What was asked of the store. A replica, and a full disk, may be read and take no writes. */
type StoreWork = 'read' | 'write';

/** Whether the store can be reached, as far as rotation has tried; what serves goes on without it. */
export class StoreLink {
  readonly #clock: Clock;
  readonly #events: EventSink;
  #lost: { readonly atMs: number; readonly to: StoreWork } | undefined;

  constructor(clock: Clock, events: EventSink) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Milliseconds since the epoch; undefined while it can be reached. */
  get lostAtMs(): number | undefined {
    return this.#lost?.atMs;
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

  /**
   * What `work` comes to, or undefined where the store fails it: reported once, until it works again. One that was read
   * throughout and refused a write is back when it takes one. Never rejects.
   */
  async attempt<T>(work: () => Promise<T>, kind: StoreWork = 'read'): Promise<T | undefined> {
    try {
      const result = await work();
      if (this.#lost && (this.#lost.to === 'read' || kind === 'write')) this.#back(this.#lost.atMs);
      return result;
    } catch (error) {
      const { code, message } = toGatewayError(error);
      if (this.#lost === undefined) this.#events('rotation.store_lost', { code, message });
      this.#lost = { atMs: this.#lost?.atMs ?? this.#clock.nowMs(), to: this.#lost?.to === 'read' ? 'read' : kind };
      return undefined;
    }
  }

  #back(lostAtMs: number): void {
    this.#lost = undefined;
    this.#events('rotation.store_back', { lostMs: this.#clock.nowMs() - lostAtMs });
  }
}
