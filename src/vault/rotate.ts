import { GatewayError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { keyOf, RECORD_KINDS } from '../store/keys.ts';
import type { RecordKind } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';
import { replaceSealed } from './sealed-fields.ts';
import { readHeader } from './vault.ts';
import type { Vault } from './vault.ts';

export interface RotateVaultOptions {
  readonly records: RecordStore;
  /** Holds the new primary, and the retired keys until they are no longer needed. */
  readonly vault: Vault;
  readonly events: EventSink;
  /** Called after each record that was looked at; `total` grows when more are registered meanwhile. */
  readonly onProgress?: (progress: RotationProgress) => void;
}

/** How far a rotation is: records looked at, records there are, records rewritten. */
export interface RotationProgress {
  readonly done: number;
  readonly total: number;
  readonly resealed: number;
}

/** What a finished rotation did. */
export interface RotationResult {
  /** The primary key everything usable is sealed under now. */
  readonly kid: string;
  /** How many records were rewritten. */
  readonly resealed: number;
  /** What could not be opened and was left as it is; a retired key named here is still needed. */
  readonly refused: readonly RefusedValue[];
}

/** A record or field that could not be opened. */
export interface RefusedValue {
  /** The record (`gateway:<id>`) or the field in it (`gateway:<id>:client_key`). */
  readonly context: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Each pass meets only records that somebody wrote during the one before, so two or three are the rule. */
const MAX_PASSES = 20;

/**
 * Seals every secret field and authenticates every record under the primary key, while others read and write. One
 * record per commit, by compare-and-set; a record that changed meanwhile is met again in the next pass, until a pass
 * finds nothing to do. Stopping it anywhere loses nothing; running it again resumes it.
 *
 * @throws GatewayError store_unavailable, vault_rotation_contended
 */
export async function rotateVault({ records, vault, events, onProgress }: RotateVaultOptions): Promise<RotationResult> {
  let resealed = 0;
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    const refused: RefusedValue[] = [];
    let settled = true;
    let done = 0;
    const all = await everyRecord(records);
    for (const { kind, id } of all) {
      const outcome = await resealRecord(records, vault, kind, id, refused);
      if (outcome !== 'current') settled = false;
      if (outcome === 'resealed') resealed++;
      onProgress?.({ done: ++done, total: all.length, resealed });
    }
    if (settled) {
      events('vault.rotated', { kid: vault.primaryKid, resealed });
      return { kid: vault.primaryKid, resealed, refused };
    }
  }
  throw new GatewayError(
    'vault_rotation_contended',
    `records kept changing during ${MAX_PASSES} passes over the store`,
    {
      hint: 'run it again: it goes on where it stopped; make sure that every instance holds the new key',
    },
  );
}

/** Which records there are, readable or not. @throws GatewayError store_unavailable */
export async function everyRecord(records: RecordStore): Promise<{ kind: RecordKind; id: string }[]> {
  const perKind = RECORD_KINDS.map(async (kind) => (await records.ids(kind)).map((id) => ({ kind, id })));
  return (await Promise.all(perKind)).flat();
}

async function resealRecord(
  records: RecordStore,
  vault: Vault,
  kind: RecordKind,
  id: string,
  refused: RefusedValue[],
): Promise<'current' | 'resealed' | 'conflict'> {
  const context = keyOf(kind, id);
  // a record that is not authentic must not get a new MAC
  const record = await records.get<object>(kind, id).catch((error: unknown) => refuse(refused, context, error));
  if (record === undefined) return 'current';
  const { body, changed } = await resealBody(vault, context, record.body, refused);
  if (!changed && record.kid === vault.primaryKid) return 'current';
  const written = await records.write([{ kind, id, body, expectedVersion: record.version }]);
  return written ? 'resealed' : 'conflict';
}

async function resealBody(
  vault: Vault,
  recordKey: string,
  body: object,
  refused: RefusedValue[],
): Promise<{ body: object; changed: boolean }> {
  let changed = false;
  const replaced = await replaceSealed(recordKey, body, async (field, context) => {
    if (readHeader(field.sealed)?.kid === vault.primaryKid) return field;
    const plaintext = await vault
      .open(field.sealed, context)
      .catch((error: unknown) => refuse(refused, context, error));
    if (plaintext === undefined) return field;
    changed = true;
    return { sealed: await vault.seal(plaintext, context) };
  });
  // replaceSealed keeps the shape: an object stays an object
  return { body: replaced as object, changed };
}

function refuse(refused: RefusedValue[], context: string, error: unknown): undefined {
  if (!(error instanceof GatewayError) || error.code === 'store_unavailable') throw error;
  refused.push({ context, code: error.code, message: error.message });
}
