import { parseNetwork } from '../../base/networks.ts';
import { CONTROL, list, object, text } from '../../registry/describe-field.ts';
import { readObject, refuseProblems } from '../../registry/field-schema.ts';
import type { FieldProblem, FieldSchema, ObjectSchema, PatchOf } from '../../registry/field-schema.ts';
import type { RevocationWish, TokenWish } from '../../tokens/token-records.ts';

const plain = { pattern: `^[^${CONTROL}]+$` };
const name = (what: string) => text(what, { maxLength: 1024, ...plain });
const moment = (what: string) =>
  text(what, {
    format: 'date-time',
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d{1,9})?)?(?:Z|[+-]\\d\\d:\\d\\d)$',
  });
const patterns = (what: string) => list(`${what}; \`*\` stands for any text.`, text('A name or a pattern.'), 256);

const TOKEN_FIELDS = {
  subject: name('Whom the token stands for, with role user.'),
  name: text('What it is for, for people.', plain),
  expiresAt: moment('Until when it is good; absent means until it is revoked.'),
  servers: patterns('The servers it is good for, by slug, and /mcp for that of all; absent means all'),
  tools: patterns('The tools it is good for, by the names their gateways know them by; absent means all'),
  networks: list(
    'Where it may come from, by the address of the connection; absent means anywhere.',
    text('A network such as 10.1.0.0/16, or an address.'),
  ),
} as const satisfies Readonly<Record<string, FieldSchema>>;

const REVOCATION_FIELDS = {
  jti: name('The jti of one token.'),
  expiresAt: moment('When that token expires; absent means that it is remembered for ten years.'),
  subject: name('Or the subject whose tokens are taken back, those the API handed out included.'),
  issuedBefore: moment('Those issued before this moment; absent means now.'),
} as const satisfies Readonly<Record<string, FieldSchema>>;

/** What is sent to have a token made. */
export const TOKEN_SCHEMA: ObjectSchema = object('A token to be made.', TOKEN_FIELDS, ['subject']);

/** What is sent to take signed tokens back. */
export const REVOCATION_SCHEMA: ObjectSchema = object('Tokens to be taken back.', REVOCATION_FIELDS);

/** Reads what is wanted of a token. @throws GatewayError request_invalid naming each wrong field */
export function parseTokenWish(body: unknown, nowMs: number): TokenWish {
  const problems: FieldProblem[] = [];
  const read: PatchOf<typeof TOKEN_FIELDS> = readObject(TOKEN_SCHEMA, body, { problems });
  const { subject, name: label, servers, tools, networks } = read;
  const expiresAt = momentOf('expiresAt', read.expiresAt, problems) ?? null;
  if (expiresAt !== null && Date.parse(expiresAt) <= nowMs) problems.push({ field: 'expiresAt', problem: 'is over' });
  // an empty list would read like none, and mean the opposite
  for (const [field, given] of Object.entries({ servers, tools, networks }))
    if (given?.length === 0) problems.push({ field, problem: 'must not be empty: leave it out for all' });
  for (const [index, network] of (networks ?? []).entries())
    if (network !== undefined && parseNetwork(network) === undefined)
      problems.push({ field: `networks[${index}]`, problem: 'must be a network such as 10.1.0.0/16, or an address' });
  refuseProblems(problems);
  const scope = { ...(servers && { servers }), ...(tools && { tools }) };
  return {
    // required by the schema
    subject: subject as string,
    expiresAt,
    ...(label && { name: label }),
    ...(Object.keys(scope).length > 0 && { scope }),
    ...(networks && { networks }),
  };
}

/** Reads what is to be taken back. @throws GatewayError request_invalid naming each wrong field */
export function parseRevocationWish(body: unknown, nowMs: number): RevocationWish {
  const problems: FieldProblem[] = [];
  const read: PatchOf<typeof REVOCATION_FIELDS> = readObject(REVOCATION_SCHEMA, body, { problems });
  const { jti, subject } = read;
  const expiresAt = momentOf('expiresAt', read.expiresAt, problems);
  const issuedBefore = momentOf('issuedBefore', read.issuedBefore, problems);
  const isOne = typeof jti === 'string';
  if (isOne === (typeof subject === 'string'))
    problems.push({ field: 'jti', problem: 'or subject is required, one of both' });
  if (isOne && issuedBefore !== undefined) problems.push({ field: 'issuedBefore', problem: 'goes with subject' });
  if (!isOne && expiresAt !== undefined) problems.push({ field: 'expiresAt', problem: 'goes with jti' });
  if (issuedBefore !== undefined && Date.parse(issuedBefore) > nowMs)
    problems.push({ field: 'issuedBefore', problem: 'is to come: tokens of then cannot be taken back yet' });
  refuseProblems(problems);
  if (isOne) return { what: 'jti', name: jti, ...(expiresAt !== undefined && { expiresAt }) };
  // one of both is there
  return { what: 'subject', name: subject as string, ...(issuedBefore !== undefined && { issuedBefore }) };
}

/** In one spelling, so that moments compare as texts. */
function momentOf(field: string, given: string | null | undefined, problems: FieldProblem[]): string | undefined {
  if (typeof given !== 'string') return undefined;
  const ms = Date.parse(given);
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  problems.push({ field, problem: 'must be a moment such as 2027-01-01T00:00:00Z' });
  return undefined;
}
