import { toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { RotationProblem } from '../rotation/participant.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordKind } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';

/** A record in memory; without a body, one that cannot be believed. */
export interface Shelved<T> {
  readonly id: string;
  readonly body: T | undefined;
  readonly version: string;
}

/** All records of one kind in memory. */
export class RecordShelf<T extends object> {
  readonly #kind: RecordKind;
  readonly #records: RecordStore;
  readonly #events: EventSink;
  #all: ReadonlyMap<string, Shelved<T>> = new Map();
  #problems: readonly RotationProblem[] = [];

  constructor(kind: RecordKind, records: RecordStore, events: EventSink) {
    this.#kind = kind;
    this.#records = records;
    this.#events = events;
  }

  /** By id. */
  get all(): ReadonlyMap<string, Shelved<T>> {
    return this.#all;
  }

  /** Those that cannot be believed. */
  get problems(): readonly RotationProblem[] {
    return this.#problems;
  }

  /** Reads all again; true when one is another than before. @throws GatewayError store_unavailable */
  async reload(): Promise<boolean> {
    const problems: RotationProblem[] = [];
    const ids = await this.#records.ids(this.#kind);
    const read = await Promise.all(ids.map((id) => this.#read(id, problems)));
    const all = new Map(read.flatMap((record) => (record === undefined ? [] : [[record.id, record] as const])));
    const isSame =
      all.size === this.#all.size &&
      [...all.values()].every(({ id, version }) => this.#all.get(id)?.version === version);
    for (const { subject, code, message } of problems)
      if (!this.#problems.some((known) => known.subject === subject && known.message === message))
        this.#events('record.refused', { record: subject ?? '', code, message });
    this.#problems = problems;
    if (!isSame) this.#all = all;
    return !isSame;
  }

  /** Puts a record that was written in its place, or takes away one that was removed. */
  put(id: string, record: Shelved<T> | undefined): void {
    const others = [...this.#all].filter(([other]) => other !== id);
    this.#all = new Map(record === undefined ? others : [...others, [id, record]]);
  }

  async #read(id: string, problems: RotationProblem[]): Promise<Shelved<T> | undefined> {
    try {
      return await this.#records.get<T>(this.#kind, id);
    } catch (thrown) {
      const { code, message } = toGatewayError(thrown);
      if (code === 'store_unavailable') throw thrown;
      problems.push({ subject: keyOf(this.#kind, id), name: id, code, message });
      return { id, body: undefined, version: `${code} ${message}` };
    }
  }
}
