/** Where those are who come when all places are taken. */
const EVERYBODY_ELSE = '';
/** Between two looks for places that are free again. */
const SWEEP_MS = 1_000;

/**
 * What is kept of each of many, in as many places as there are. Who is at rest may be forgotten; when nobody is, whoever
 * comes shares one place with all who come then, so that nobody who is over a limit is forgotten to make room.
 */
export class Places<V> {
  readonly #values = new Map<string, V>();
  readonly #maxCount: number;
  readonly #isAtRest: (value: V, nowMs: number) => boolean;
  #nextSweepMs = Number.NEGATIVE_INFINITY;

  constructor(maxCount: number, isAtRest: (value: V, nowMs: number) => boolean) {
    this.#maxCount = maxCount;
    this.#isAtRest = isAtRest;
  }

  get size(): number {
    return this.#values.size;
  }

  /** The place of a key: its own, as long as there is one. */
  of(key: string, nowMs: number): string {
    if (this.#values.size < this.#maxCount || this.#values.has(key)) return key;
    if (nowMs >= this.#nextSweepMs) {
      this.#nextSweepMs = nowMs + SWEEP_MS;
      for (const [other, value] of this.#values) if (this.#isAtRest(value, nowMs)) this.#values.delete(other);
    }
    return this.#values.size < this.#maxCount ? key : EVERYBODY_ELSE;
  }

  get(place: string): V | undefined {
    return this.#values.get(place);
  }

  set(place: string, value: V): void {
    this.#values.set(place, value);
  }
}
