import type { Clock } from '../base/clock.ts';
import type { RecordStore } from '../store/records.ts';

/** What of a session its mark needs. */
export interface Revocable {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

const SWEEP_INTERVAL_MS = 60 * 60 * 1000;
const MAX_SWEPT_COUNT = 1_000;

/**
 * Marks of sessions that were ended before their time, shared by all instances. Marks nobody needs any more go with
 * the next one that is made, at most once an hour.
 */
export class Revocations {
  readonly #records: RecordStore;
  readonly #clock: Clock;
  #nextSweepMs = 0;

  constructor(records: RecordStore, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /** @throws GatewayError store_unavailable */
  async add(session: Revocable): Promise<void> {
    const { expiresAtMs } = session;
    const removals = (await this.#expired()).map((id) => ({ kind: 'revocation', id, body: null }) as const);
    await this.#records.write([{ kind: 'revocation', id: markOf(session), body: { expiresAtMs } }, ...removals]);
  }

  /** @throws GatewayError store_unavailable, and why a mark cannot be believed */
  async has(session: Revocable): Promise<boolean> {
    return (await this.#records.get('revocation', markOf(session))) !== undefined;
  }

  async #expired(): Promise<readonly string[]> {
    if (this.#clock.monotonicMs() < this.#nextSweepMs) return [];
    this.#nextSweepMs = this.#clock.monotonicMs() + SWEEP_INTERVAL_MS;
    const nowSeconds = this.#clock.nowMs() / 1000;
    const ids = await this.#records.ids('revocation');
    return ids.filter((id) => Number.parseInt(id, 10) < nowSeconds).slice(0, MAX_SWEPT_COUNT);
  }
}

/** The id of a mark opens with the second its session ends by itself, so that looking for old ones reads keys only. */
const markOf = ({ id, expiresAtMs }: Revocable): string => `${Math.ceil(expiresAtMs / 1000)}-${id}`;
