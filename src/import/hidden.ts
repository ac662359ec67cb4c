import { isFields } from '../base/fields.ts';
import { Secret } from '../base/secret.ts';
import { MASK } from '../registry/field-schema.ts';

/** A text of an imported file that is not shown; what stands for it says where it comes from. */
export class Hidden {
  readonly #text: Secret;
  readonly shown: string;

  constructor(text: string, shown: string = MASK) {
    this.#text = new Secret(text);
    this.shown = shown;
  }

  /** The text itself; call it as late as possible. */
  reveal(): string {
    return this.#text.reveal();
  }

  toString(): string {
    return this.shown;
  }

  toJSON(): string {
    return this.shown;
  }
}

/** A value with every hidden text in it in the open: what is sent. */
export function revealed(value: unknown): unknown {
  if (value instanceof Hidden) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, revealed(member)]));
}

/** A text of a body as it may be shown; undefined for what is none. */
export function shownText(value: unknown): string | undefined {
  return value instanceof Hidden ? value.shown : typeof value === 'string' ? value : undefined;
}

/** A text of a body itself; undefined for what is none. */
export function plainText(value: unknown): string | undefined {
  return value instanceof Hidden ? value.reveal() : typeof value === 'string' ? value : undefined;
}
