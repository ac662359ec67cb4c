import { codeOf, guardStorage, storeUnavailable } from '../../../src/index.ts';
import type { Change, StorageDriver } from '../../../src/index.ts';
import type { D1Database } from '../bindings.ts';

const TABLE = `CREATE TABLE IF NOT EXISTS postern (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`;

/**
 * Breaks the transaction off where something is not as expected: the row it would insert then is one no row may be.
 * Written so since D1 has no transactions that last, only batches, and RAISE works in triggers alone.
 */
const EXPECT = `
INSERT INTO postern (key, value)
SELECT 'expected', NULL WHERE EXISTS (
  SELECT 1 FROM json_each(?1) AS change
  LEFT JOIN postern AS stored ON stored.key = change.value ->> 'key'
  WHERE stored.value IS NOT change.value ->> 'expected'
)`;
const UNEXPECTED = /NOT NULL constraint failed: postern\.value/;

const PUT = `
INSERT INTO postern (key, value)
SELECT value ->> 'key', value ->> 'value' FROM json_each(?1) WHERE true
ON CONFLICT (key) DO UPDATE SET value = excluded.value`;

const REMOVE = `DELETE FROM postern WHERE key IN (SELECT value ->> 'key' FROM json_each(?1))`;

/**
 * Records in a D1 database, in the table `postern`; a commit is one batch, which D1 makes one transaction. What one
 * instance commits, others read at once. Nobody is told: instances look.
 *
 * @throws GatewayError store_unavailable
 * @see https://developers.cloudflare.com/d1/worker-api/d1-database/#batch
 */
export async function openD1(database: D1Database): Promise<StorageDriver> {
  try {
    await database.batch([database.prepare(TABLE)]);
  } catch (error) {
    throw storeUnavailable('d1', reasonOf(error));
  }
  return guardStorage(
    {
      name: 'd1',
      shared: true,
      driver: {
        getItem: async (key) => {
          const value = await database.prepare('SELECT value FROM postern WHERE key = ?1').bind(key).first('value');
          return typeof value === 'string' ? value : null;
        },
        getKeys: async (base) => {
          const sql = 'SELECT key FROM postern WHERE substr(key, 1, length(?1)) = ?1';
          const { results } = await database.prepare(sql).bind(base).all();
          return results.map(({ key }) => String(key));
        },
      },
      commit: (changes) => commit(database, changes),
      close: () => Promise.resolve(),
    },
    reasonOf,
  );
}

async function commit(database: D1Database, changes: readonly Change[]): Promise<boolean> {
  const steps = [
    [EXPECT, changes.filter(({ expected }) => expected !== undefined)],
    [PUT, changes.filter(({ value }) => value !== null)],
    [REMOVE, changes.filter(({ value }) => value === null)],
  ] as const;
  const statements = steps
    .filter(([, of]) => of.length > 0)
    .map(([sql, of]) => database.prepare(sql).bind(JSON.stringify(of)));
  if (statements.length === 0) return true;
  try {
    await database.batch(statements);
    return true;
  } catch (error) {
    if (UNEXPECTED.test(String(error))) return false;
    throw error;
  }
}

/** D1 names its failures in capitals: `D1_ERROR: … SQLITE_BUSY`; the rest may quote what was sent. */
const reasonOf = (error: unknown): string => /SQLITE_[A-Z]+/.exec(String(error))?.[0] ?? codeOf(error);
