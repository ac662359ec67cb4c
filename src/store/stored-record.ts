import { utf8 } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import { canonicalJson } from './canonical-json.ts';
import type { RecordMac } from './sealer.ts';

/** A record as it lies in the store. */
export interface StoredRecord {
  /** Schema of the body, from 1; see migrations.ts. */
  readonly v: number;
  /** Changes on each write. */
  readonly version: string;
  readonly body: unknown;
  readonly mac: RecordMac;
}

/** What a record's MAC covers: everything but the MAC, and the key, so that a record cannot move. */
export function authenticatedBytes(
  key: string,
  { v, version, body }: Omit<StoredRecord, 'mac'>,
): Uint8Array<ArrayBuffer> {
  return utf8(canonicalJson([key, v, version, body]));
}

/** The text a record is stored as; canonical, so that a driver that parses values loses nothing. */
export function serializeRecord(record: StoredRecord): string {
  return canonicalJson(record);
}

/**
 * Reads what a store handed back; the MAC is not checked here.
 *
 * @throws GatewayError record_invalid for what is no record, record_tampered for a record without a MAC
 */
export function parseRecord(key: string, text: string): StoredRecord {
  const record = parseObject(text);
  if (
    record === undefined ||
    !Number.isInteger(record.v) ||
    typeof record.version !== 'string' ||
    record.body === undefined
  )
    throw new GatewayError('record_invalid', `${key} holds something else than a record`, {
      hint: 'the store is written by something other than this gateway; restore the record or remove it',
    });
  const { kid, tag } = record.mac ?? {};
  if (typeof kid !== 'string' || typeof tag !== 'string')
    throw new GatewayError('record_tampered', `${key} carries no authentication`, { hint: TAMPERED_HINT });
  // each member was checked above; body stays unknown
  return record as StoredRecord;
}

/** The version a stored text carries, unauthenticated; undefined when it is no record. */
export function versionOf(text: string): string | undefined {
  const version = parseObject(text)?.version;
  return typeof version === 'string' ? version : undefined;
}

/** What to do about a record that was changed behind the gateway's back. */
export const TAMPERED_HINT =
  'somebody wrote to the store without the vault key; restore the record from a backup or remove it and register again';

interface Unchecked {
  readonly v?: unknown;
  readonly version?: unknown;
  readonly body?: unknown;
  readonly mac?: { readonly kid?: unknown; readonly tag?: unknown } | null;
}

function parseObject(text: string): Unchecked | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
