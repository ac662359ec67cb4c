import type { OnChange, OnLink } from '../../../src/index.ts';

interface Watcher {
  readonly onChange: OnChange;
  readonly onLink: OnLink;
}

/** Those who watch one store, and whether telling works. */
export class Watchers {
  readonly #all = new Set<Watcher>();
  #up: boolean;
  #closed = false;

  constructor(up: boolean) {
    this.#up = up;
  }

  get size(): number {
    return this.#all.size;
  }

  /** One more, who hears at the earliest once this call is over; the returned function takes it out again. */
  add(onChange: OnChange, onLink: OnLink): () => void {
    const watcher = { onChange, onLink };
    if (this.#closed) return () => undefined;
    this.#all.add(watcher);
    queueMicrotask(() => {
      if (this.#up && this.#all.has(watcher)) onLink(true);
    });
    return () => void this.#all.delete(watcher);
  }

  tell(keys: readonly string[]): void {
    for (const { onChange } of this.#all) onChange(keys);
  }

  /** Says that telling works from now on, or no longer; what it was already is not said again. */
  link(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    for (const { onLink } of this.#all) onLink(up);
  }

  /** Nobody is told anything any more. */
  close(): void {
    this.#closed = true;
    this.#all.clear();
  }
}
