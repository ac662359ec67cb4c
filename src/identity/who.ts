import { members, notEmpty, oneOf, texts, wrong } from '../base/checks.ts';
import type { Check } from '../base/checks.ts';
import { isFields } from '../base/fields.ts';
import { matcherOf } from '../base/patterns.ts';
import type { PrincipalFacts, Role } from './principal.ts';

/** One text or several; each is a name, or a pattern in which `*` stands for any text. */
export type Texts = string | readonly string[];

/** Whom a rule is about: all that is said must hold, one text of each list. */
export interface Who {
  readonly subject?: Texts;
  readonly role?: Role | readonly Role[];
  readonly method?: PrincipalFacts['method'] | readonly PrincipalFacts['method'][];
  /** Of a token. */
  readonly issuer?: Texts;
  /** The authority the caller's certificate leads to. */
  readonly ca?: Texts;
  /** By name; of a claim with several values one has to fit. */
  readonly claims?: Readonly<Record<string, Texts>>;
}

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

const CLAIM_COUNT = 32;

/** Every role. */
export const ROLES = ['admin', 'user'] as const satisfies readonly Role[];
/** By name, so that a new one has to be added. */
const KNOWN_METHODS: Readonly<Record<PrincipalFacts['method'], true>> = {
  token: true,
  certificate: true,
  proxy: true,
  basic: true,
  open: true,
};
/** Every way of being recognised. */
export const METHODS = Object.keys(KNOWN_METHODS);

/** Claims by name. */
export const CLAIMS: Check = (value, field) => {
  if (!isFields(value)) return wrong(field, 'must be an object');
  const count = Object.keys(value).length;
  if (count === 0 || count > CLAIM_COUNT) return wrong(field, `must have 1 to ${CLAIM_COUNT} names`);
  return Object.entries(value).flatMap(([name, wanted]) => texts()(wanted, `${field}.${name.slice(0, 64)}`));
};

/** Reads whom a rule is about. */
export const WHO: Check = notEmpty(
  members({
    subject: texts(),
    role: oneOf(ROLES),
    method: oneOf(METHODS),
    issuer: texts(),
    ca: texts(),
    claims: CLAIMS,
  }),
);
