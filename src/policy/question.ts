import { ADMIN_ACTIONS } from './admin-actions.ts';
import type { Check } from '../base/checks.ts';
import { members, oneOf, refuseWrong, texts, wrong } from '../base/checks.ts';
import type { PolicyDocument } from './document.ts';
import type { PrincipalFacts } from '../identity/principal.ts';
import { CLAIMS, METHODS, ROLES } from '../identity/who.ts';
import { document } from './parse-document.ts';

/** Whether a caller may do something, asked before anybody tries. */
export interface PolicyQuestion {
  readonly caller: Pick<PrincipalFacts, 'subject' | 'issuer' | 'claims'> &
    Partial<Pick<PrincipalFacts, 'role' | 'method'>> & {
      /** The authority its certificate leads to. */
      readonly ca?: string;
    };
  /** An address: a slug, or `/mcp`, which is the default. */
  readonly server?: string;
  /** Where it is given, the item is named as this upstream names it; else as callers of the address do. */
  readonly gateway?: string;
  readonly tool?: string;
  readonly prompt?: string;
  readonly resource?: string;
  /** An action of administration; then nothing else is asked. */
  readonly admin?: string;
  /** A policy to ask instead of the one that is stored. */
  readonly policy?: PolicyDocument;
}

const text: Check = (value, field) =>
  typeof value === 'string' ? texts()(value, field) : wrong(field, 'must be a text');
const one =
  (check: Check): Check =>
  (value, field) => [...text(value, field), ...check(value, field)];

const caller = members(
  { subject: text, role: one(oneOf(ROLES)), method: one(oneOf(METHODS)), issuer: text, ca: text, claims: CLAIMS },
  ['subject'],
);
const ASKED = ['tool', 'prompt', 'resource', 'admin'] as const;
const fields = members(
  {
    caller,
    server: text,
    gateway: text,
    tool: text,
    prompt: text,
    resource: text,
    admin: one(oneOf(ADMIN_ACTIONS)),
    policy: document,
  },
  ['caller'],
);

/** @throws GatewayError request_invalid naming each wrong field */
export function parseQuestion(value: unknown): PolicyQuestion {
  refuseWrong(fields, value, 'question');
  // every member was looked at
  const question = value as PolicyQuestion;
  const asked = ASKED.filter((name) => question[name] !== undefined);
  if (asked.length > 1) refuseWrong(() => wrong('question', `must name one of ${ASKED.join(', ')}`), value, '');
  return question;
}
