/** Told that something changed, not what: who keeps something made of it looks again. */
export type ChangeListener = () => void;

/** Tells those who follow that what the gateway offers may have changed. */
export class ChangeFeed {
  readonly #listeners = new Set<ChangeListener>();

  /** Whether anybody would hear. */
  get isFollowed(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls `listener` on each change until the returned function is called; it must not throw. */
  follow(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  announce(): void {
    for (const listener of this.#listeners) listener();
  }
}
