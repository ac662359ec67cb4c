import type { Clock } from '../base/clock.ts';

/** Counts what is under way, and waits for its end. */
export class Underway {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  begin(): void {
    this.#count++;
  }

  end(): void {
    if (--this.#count > 0) return;
    for (const tell of this.#waiting) tell();
  }

  /** Resolves once nothing is under way, after `limitMs` at the latest. */
  idle(limitMs: number): Promise<void> {
    if (this.#count === 0 || limitMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const tell = (): void => {
        cancel();
        this.#waiting.delete(tell);
        resolve();
      };
      const cancel = this.#clock.after(limitMs, tell);
      this.#waiting.add(tell);
    });
  }
}
