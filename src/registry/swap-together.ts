import type { Clock } from '../base/clock.ts';
import type { RegisteredGateway } from './snapshot.ts';

/** Those who are ready wait so long for the others; a certificate must not wait for a server that hangs. */
const TOGETHER_MS = 250;

/** What is to take the place of a gateway; undefined for nothing. */
export type Successors = ReadonlyMap<string, RegisteredGateway | undefined>;

/** Swaps gateways that were loaded side by side in one snapshot; who is late is swapped when it comes. */
export class SwapTogether {
  readonly #swap: (successors: Successors) => void;
  #expected: number;
  #ready = new Map<string, RegisteredGateway | undefined>();
  #waiting: (() => void)[] = [];
  #isOver = false;
  readonly #cancel: () => void;

  constructor(expected: number, clock: Clock, swap: (successors: Successors) => void) {
    this.#expected = expected;
    this.#swap = swap;
    this.#cancel = clock.after(TOGETHER_MS, () => this.#flush());
  }

  /** Resolves once it is swapped. */
  swap(id: string, gateway: RegisteredGateway | undefined): Promise<void> {
    this.#ready.set(id, gateway);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#arrived();
    });
  }

  /** One of those expected is not to be swapped. */
  skip(): void {
    this.#arrived();
  }

  #arrived(): void {
    this.#expected--;
    if (this.#expected <= 0 || this.#isOver) this.#flush();
  }

  #flush(): void {
    this.#cancel();
    this.#isOver = true;
    const [ready, waiting] = [this.#ready, this.#waiting];
    this.#ready = new Map();
    this.#waiting = [];
    if (ready.size > 0) this.#swap(ready);
    for (const resolve of waiting) resolve();
  }
}
