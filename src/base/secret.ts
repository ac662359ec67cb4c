/**
 * A string that prints as `[secret]` everywhere but where `reveal()` is called. It cannot be wiped from memory:
 * JavaScript strings are immutable (see SECURITY.md).
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The plaintext; call it as late as possible and never keep the result. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  get [Symbol.toStringTag](): string {
    return 'Secret';
  }
}
