/** An event that is not a line yet. */
export interface WaitingLine {
  readonly event: string;
  readonly fields: object;
  readonly atMs: number;
}

/** Some seconds of calls under full load; about 10 MB. */
const MAX_COUNT = 20_000;

/** What is to be kept, oldest first; what finds no room is counted, and the count becomes a line of its own. */
export class WaitingLines {
  #lines: WaitingLine[] = [];
  #lost = 0;
  #told = 0;

  add(line: WaitingLine): void {
    if (this.#lines.length < MAX_COUNT) this.#lines.push(line);
    else this.#lost++;
  }

  /** The next ones, at most `count`; they stay until they are `kept`. */
  peek(count: number, nowMs: number): readonly WaitingLine[] {
    if (this.untold > 0 && this.#lines.length < MAX_COUNT) {
      this.#lines.push({ event: 'audit.lost', fields: { lost: this.untold }, atMs: nowMs });
      this.#told = this.#lost;
    }
    return this.#lines.slice(0, count);
  }

  kept(count: number): void {
    this.#lines = this.#lines.slice(count);
  }

  get size(): number {
    return this.#lines.length;
  }

  /** What found no room, in all. */
  get lost(): number {
    return this.#lost;
  }

  /** Of that, what no line tells of yet. */
  get untold(): number {
    return this.#lost - this.#told;
  }
}
