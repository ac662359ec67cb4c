import type { Clock } from '../base/clock.ts';

/** Of one event in one window. */
const MAX_COUNT = 500;
const WINDOW_MS = 10_000;

/** Keeps what anybody can cause from filling the disk: past a limit it is counted, and the count is told. */
export class FloodGuard {
  readonly #clock: Clock;
  readonly #tell: (event: string, omitted: number) => void;
  readonly #counts = new Map<string, number>();

  /** @param tell called once per event and window in which some were left out */
  constructor(clock: Clock, tell: (event: string, omitted: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  admits(event: string): boolean {
    if (this.#counts.size === 0) this.#clock.after(WINDOW_MS, () => this.flush());
    const count = (this.#counts.get(event) ?? 0) + 1;
    this.#counts.set(event, count);
    return count <= MAX_COUNT;
  }

  /** Ends the window now. */
  flush(): void {
    const counts = [...this.#counts];
    this.#counts.clear();
    for (const [event, count] of counts) if (count > MAX_COUNT) this.#tell(event, count - MAX_COUNT);
  }
}
