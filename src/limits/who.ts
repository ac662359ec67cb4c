import { matcherOf } from '../base/patterns.ts';
import type { Principal } from '../identity/principal.ts';

/** Whom a rule is about: names and patterns with `*`. A caller has to meet every member. */
export interface Who {
  readonly subject?: readonly string[];
  readonly role?: readonly string[];
  readonly method?: readonly string[];
  /** Of a token. */
  readonly issuer?: readonly string[];
  /** The distinguished name of a certificate's issuer. */
  readonly ca?: readonly string[];
}

/** The members of `Who`, and what of a caller each is compared with. */
export const WHO: { readonly [Member in keyof Who]-?: (principal: Principal) => string | undefined } = {
  subject: ({ subject }) => subject,
  role: ({ role }) => role,
  method: ({ method }) => method,
  issuer: ({ issuer }) => issuer,
  ca: ({ certificate }) => certificate?.issuer,
};

/** Tells whether a caller is meant; what is not known of one is met by nothing. */
export function isMeantBy(who: Who): (principal: Principal) => boolean {
  const tests = Object.entries(who).map(([member, texts]) => {
    const [valueOf, matches] = [WHO[member as keyof Who], matcherOf(texts as readonly string[])];
    return (principal: Principal): boolean => {
      const value = valueOf(principal);
      return value !== undefined && matches(value);
    };
  });
  return (principal) => tests.every((test) => test(principal));
}
