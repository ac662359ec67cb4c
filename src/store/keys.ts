import { GatewayError } from '../base/errors.ts';

/**
 * What records are about: `gateway` a registered upstream, `listing` what it offered when last asked, `server` a virtual
 * server, `generation` the rotation in force, `instance` how far one of the fleet has come, `meta` facts about the store
 * itself, `session` a legacy session that was ended before its time, or whose state its id cannot carry, `letter` a message
 * from one instance to another, `crl` a revocation list that was fetched, `policy` who may do what,
 * `audit` the last anchor of a trail, `token` one the API handed out, `revocation` a token that was taken back, or all of a
 * subject.
 */
export const RECORD_KINDS = [
  'gateway',
  'listing',
  'server',
  'generation',
  'instance',
  'meta',
  'session',
  'letter',
  'crl',
  'policy',
  'audit',
  'token',
  'revocation',
] as const;

/** One of the kinds. */
export type RecordKind = (typeof RECORD_KINDS)[number];

/** Which record. */
export interface RecordName {
  readonly kind: RecordKind;
  readonly id: string;
}

/** Drivers rewrite `/`, `\` and `?` in keys and PostgreSQL's column holds 255 characters; base64url meets neither. */
const RECORD_ID = /^[A-Za-z0-9_-]{1,200}$/;

/** Whether a record could have this id: 1 to 200 characters of the base64url alphabet. */
export function isRecordId(id: string): boolean {
  return RECORD_ID.test(id);
}

/**
 * The storage key of a record, `gateway:<id>`; no other file builds keys.
 *
 * @throws GatewayError record_invalid when the id is outside the grammar
 */
export function keyOf(kind: RecordKind, id: string): string {
  if (!isRecordId(id))
    throw new GatewayError('record_invalid', `expected the id of a ${kind} record as 1 to 200 base64url characters`);
  return `${kind}:${id}`;
}

/** The id in a storage key of this kind; undefined when the key is of another kind or not ours. */
export function idOf(kind: RecordKind, key: string): string | undefined {
  const id = key.startsWith(`${kind}:`) ? key.slice(kind.length + 1) : '';
  return isRecordId(id) ? id : undefined;
}

/** What record a storage key is of; undefined when the key is not ours. */
export function parseKey(key: string): RecordName | undefined {
  for (const kind of RECORD_KINDS) {
    const id = idOf(kind, key);
    if (id !== undefined) return { kind, id };
  }
  return undefined;
}
