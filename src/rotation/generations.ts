import type { Clock } from '../base/clock.ts';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { RecordChange, RecordStore } from '../store/records.ts';
import type { Generation, RotationNote } from './generation.ts';
import { nextGeneration } from './generation.ts';

const ID = 'current';
/** Each attempt loses to another writer; so many in a row do not happen. */
const MAX_ATTEMPTS = 100;

/** The one record that says which generation is in force. */
export class Generations {
  readonly #records: RecordStore;
  readonly #clock: Clock;

  constructor(records: RecordStore, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /** @throws GatewayError store_unavailable, and why the record must not be used */
  async read(): Promise<Generation | undefined> {
    return (await this.#records.get<Generation>('generation', ID))?.body;
  }

  /**
   * Makes the changes and the next generation in one commit; undefined when one of the changes expects a version that is
   * not there, or the generation is not the one to come `after`.
   *
   * @param after the id of the one before, null for none; absent means whatever is there
   * @throws GatewayError record_newer, store_unavailable (it may have been written all the same)
   */
  async write(
    changes: readonly RecordChange[],
    note: RotationNote,
    after?: string | null,
  ): Promise<Generation | undefined> {
    let seen: string | null | undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const before = await this.#before();
      if (after !== undefined && (before.generation?.id ?? null) !== after) return undefined;
      // nobody else wrote a generation, so it was a change that did not fit
      if (attempt > 0 && before.version === seen) return undefined;
      seen = before.version;
      const at = new Date(this.#clock.nowMs()).toISOString();
      const generation = nextGeneration(before.generation, note, newId(), at);
      const expected = seen === undefined ? {} : { expectedVersion: seen };
      const change = { kind: 'generation', id: ID, body: generation, ...expected } as const;
      if (await this.#records.write([...changes, change])) return generation;
    }
    throw new GatewayError('store_unavailable', 'other instances wrote a generation each time this one tried to', {
      hint: 'try again',
    });
  }

  /**
   * What is stored, its version null for nothing; undefined for what cannot be believed: that is written over. What a
   * newer build wrote is not: it can be believed, and be read by the others.
   */
  async #before(): Promise<{ generation?: Generation; version: string | null | undefined }> {
    try {
      const stored = await this.#records.get<Generation>('generation', ID);
      return stored ? { generation: stored.body, version: stored.version } : { version: null };
    } catch (error) {
      const { code } = toGatewayError(error);
      if (code === 'store_unavailable' || code === 'record_newer') throw error;
      return { version: undefined };
    }
  }
}
