import { GatewayError } from '../base/errors.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';
import { everyRecord } from './rotate.ts';
import type { RefusedValue } from './rotate.ts';
import { replaceSealed } from './sealed-fields.ts';
import { readHeader } from './vault.ts';

/** What a vault key still protects. */
export interface KeyUse {
  readonly kid: string;
  /** Records it authenticates. */
  readonly records: number;
  /** Secret fields it seals; those of a record that cannot be authenticated are not counted. */
  readonly values: number;
}

/** What every vault key protects, in one look over the store. */
export interface KeyUses {
  /** By key id, those with a use only. */
  readonly keys: readonly KeyUse[];
  /** Records that no key authenticates, whoever holds it. */
  readonly refused: readonly RefusedValue[];
}

/** Counts what each vault key protects; a key that protects nothing is needed for what others hold at most. */
export async function keyUses(records: RecordStore): Promise<KeyUses> {
  const counts = new Map<string, { records: number; values: number }>();
  const refused: RefusedValue[] = [];
  const of = (kid: string) => {
    const known = counts.get(kid) ?? { records: 0, values: 0 };
    counts.set(kid, known);
    return known;
  };
  for (const { kind, id } of await everyRecord(records)) {
    try {
      const record = await records.get<object>(kind, id);
      if (record === undefined) continue;
      of(record.kid).records++;
      await replaceSealed(keyOf(kind, id), record.body, async (field) => {
        const kid = readHeader(field.sealed)?.kid;
        if (kid !== undefined) of(kid).values++;
        return field;
      });
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === 'store_unavailable') throw error;
      const kid = error.code === 'vault_key_unknown' ? error.details?.['kid'] : undefined;
      if (typeof kid === 'string') of(kid).records++;
      else refused.push({ context: keyOf(kind, id), code: error.code, message: error.message });
    }
  }
  const keys = [...counts].map(([kid, count]) => ({ kid, ...count }));
  return { keys: keys.toSorted((a, b) => (a.kid < b.kid ? -1 : 1)), refused };
}
