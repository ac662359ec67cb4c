import type { Clock } from '../../src/index.ts';

export interface BurstOptions {
  readonly clock: Clock;
  /** A burst is over after this long without a signal. */
  readonly quietMs: number;
  /** A burst that does not end is taken for over this long after its first signal. */
  readonly limitMs: number;
  readonly onEnd: () => void;
}

/** Makes one call of many signals that follow each other closely. */
export class Burst {
  readonly #options: BurstOptions;
  #firstMs = 0;
  #lastMs = 0;
  #cancel: (() => void) | undefined;

  constructor(options: BurstOptions) {
    this.#options = options;
  }

  signal(): void {
    this.#lastMs = this.#options.clock.monotonicMs();
    if (this.#cancel !== undefined) return;
    this.#firstMs = this.#lastMs;
    this.#wait();
  }

  /** Forgets the burst under way. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** One timer for any number of signals: it looks again when it fell due too early. */
  #wait(): void {
    const { clock, quietMs, limitMs, onEnd } = this.#options;
    const leftMs = () => Math.min(this.#lastMs + quietMs, this.#firstMs + limitMs) - clock.monotonicMs();
    this.#cancel = clock.after(Math.max(0, Math.ceil(leftMs())), () => {
      this.#cancel = undefined;
      if (leftMs() > 0) this.#wait();
      else onEnd();
    });
  }
}
