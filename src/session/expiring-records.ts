import type { Clock } from '../base/clock.ts';
import type { RecordKind } from '../store/keys.ts';
import type { RecordChange, RecordStore } from '../store/records.ts';

const SWEEP_INTERVAL_MS = 60 * 60 * 1000;
const MAX_SWEPT_COUNT = 1_000;

/** The id of a record nobody needs after `expiresAtMs`: it opens with that second, so that a look for old ones reads keys only. */
export const expiringId = (id: string, expiresAtMs: number): string => `${Math.ceil(expiresAtMs / 1000)}-${id}`;

/** When a record with such an id expires, in milliseconds since the epoch. */
export const expiryOf = (recordId: string): number => Number.parseInt(recordId, 10) * 1000;

/** Finds records of one kind that have expired, once an hour while it finds few; they are removed along with the next write. */
export class ExpiredRecords {
  readonly #records: RecordStore;
  readonly #clock: Clock;
  readonly #kind: RecordKind;
  #nextSweepMs = 0;

  constructor(records: RecordStore, clock: Clock, kind: RecordKind) {
    this.#records = records;
    this.#clock = clock;
    this.#kind = kind;
  }

  /** @throws GatewayError store_unavailable */
  async removals(): Promise<readonly RecordChange[]> {
    if (this.#clock.monotonicMs() < this.#nextSweepMs) return [];
    this.#nextSweepMs = this.#clock.monotonicMs() + SWEEP_INTERVAL_MS;
    const ids = await this.#records.ids(this.#kind);
    const expired = ids.filter((id) => expiryOf(id) < this.#clock.nowMs());
    if (expired.length > MAX_SWEPT_COUNT) this.#nextSweepMs = 0;
    return expired.slice(0, MAX_SWEPT_COUNT).map((id) => ({ kind: this.#kind, id, body: null }));
  }
}
