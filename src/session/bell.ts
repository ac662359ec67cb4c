import type { Clock } from '../base/clock.ts';

/** What one waits by who looks at something now and then, and at once when it is rung. */
export class Bell {
  readonly #clock: Clock;
  #rung = false;
  #stopped = false;
  #wake = (): void => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the present wait, or the next one where nobody waits just now. */
  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  /** Ends the present wait and every later one. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Resolves when it is rung, after `pauseMs` at the latest; with false once it was stopped. */
  async wait(pauseMs: number): Promise<boolean> {
    if (!this.#rung && !this.#stopped)
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(pauseMs, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
    this.#rung = false;
    return !this.#stopped;
  }
}
