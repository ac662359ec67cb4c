import { matcherOf } from '../base/patterns.ts';
import type { PrincipalFacts } from '../identity/principal.ts';
import type { Texts, Who } from './document.ts';

/** Who calls, or would. */
export type Caller = Omit<PrincipalFacts, 'claims'> & { readonly claims?: PrincipalFacts['claims'] };

/** Tells whether one of these texts fits. */
export const fitting = (texts: Texts): ((value: string) => boolean) =>
  matcherOf(typeof texts === 'string' ? [texts] : texts);

/** Tells whom a rule is about. What nobody knows of a caller fits no text, `*` included. */
export function callersOf(who: Who = {}): (caller: Caller) => boolean {
  const facts = [
    about(who.subject, ({ subject }) => subject),
    about(who.role, ({ role }) => role),
    about(who.method, ({ method }) => method),
    about(who.issuer, ({ issuer }) => issuer),
    about(who.ca, ({ certificate }) => certificate?.ca),
    ...Object.entries(who.claims ?? {}).map(([name, texts]) =>
      about(texts, ({ claims = {} }) => (Object.hasOwn(claims, name) ? claims[name] : undefined)),
    ),
  ];
  return (caller) => facts.every((holds) => holds(caller));
}

function about(texts: Texts | undefined, factOf: (caller: Caller) => Texts | undefined): (caller: Caller) => boolean {
  if (texts === undefined) return () => true;
  const fits = fitting(texts);
  return (caller) => {
    const fact = factOf(caller) ?? [];
    return typeof fact === 'string' ? fits(fact) : fact.some(fits);
  };
}
