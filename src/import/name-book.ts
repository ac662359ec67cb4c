import type { Fields } from '../base/fields.ts';
import { slugOf } from '../base/ids.ts';

/** What is registered already. */
export interface Registered {
  readonly kind: 'gateway' | 'server';
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  /** As the REST API answers it. */
  readonly view: Fields;
}

/** The name an entry gets. */
export interface Place {
  readonly name: string;
  readonly slug: string;
  readonly registered: Registered | undefined;
  readonly changes: readonly string[];
}

const MAX_CHARACTERS = 200;

/** Gives every entry a name whose slug nobody else has, the same one at every run. */
export class NameBook {
  readonly #registered: readonly Registered[];
  readonly #slugs: Set<string>;
  /** Those an entry of this import is about. */
  readonly #claimed = new Set<Registered>();

  constructor(registered: readonly Registered[]) {
    this.#registered = registered;
    this.#slugs = new Set(registered.map(({ slug }) => slug));
  }

  /** @param fallback goes into the name where it has no letter or digit a slug could be made of */
  place(kind: Registered['kind'], wanted: string, fallback: string): Place {
    const base = usableName(wanted, fallback);
    for (let count = 1; ; count++) {
      const name = count === 1 ? base : `${base} ${count}`;
      const registered = this.#registered.find((one) => one.kind === kind && one.name === name);
      const slug = registered?.slug ?? slugOf(name);
      const isFree = registered === undefined ? !this.#slugs.has(slug) : !this.#claimed.has(registered);
      if (!isFree) continue;
      this.#slugs.add(slug);
      if (registered) this.#claimed.add(registered);
      const changes =
        name === wanted ? [] : [`renamed to ${name}${count > 1 ? `: the address ${slugOf(base)} is taken` : ''}`];
      return { name, slug, registered, changes };
    }
  }
}

/** Names need a letter or digit of ASCII, for slugs to be made of. */
function usableName(wanted: string, fallback: string): string {
  const plain = wanted.replaceAll(/\p{Cc}/gu, ' ').trim();
  const told = /[0-9A-Za-z]/.test(plain) ? plain : `${plain} ${/[0-9A-Za-z]/.test(fallback) ? fallback : 'server'}`;
  return told.slice(0, MAX_CHARACTERS).toWellFormed().trim();
}
