import { createDatabase } from 'db0';
import postgresql from 'db0/connectors/postgresql';
import { Pool } from 'pg';
import type { PoolClient, QueryResult } from 'pg';
import { codeOf, guardStorage, storeUnavailable } from '../../../src/index.ts';
import type { Change, Secret, StorageDriver } from '../../../src/index.ts';
import { openDb0Driver, TABLE } from './db0.ts';

/**
 * One writer at a time, as in SQLite: commits are small and rare, and row locks alone cannot guard a row that is not
 * there yet. The server lets go by itself of a client it lost. Limits are set here, not at start-up, because
 * connection poolers refuse them there.
 */
const BEGIN = `
  BEGIN;
  SET LOCAL statement_timeout = '5s';
  SET LOCAL idle_in_transaction_session_timeout = '5s';
  SELECT pg_advisory_xact_lock(hashtext('${TABLE}'))`;

const READ = `SELECT key, value FROM ${TABLE} WHERE key = ANY($1) FOR UPDATE`;
const REMOVE = `DELETE FROM ${TABLE} WHERE key = ANY($1)`;
const PUT = `
  INSERT INTO ${TABLE} (key, value) SELECT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = CURRENT_TIMESTAMP`;

/**
 * Records in PostgreSQL 13 or newer, in the table `postern_records` of the role's default schema.
 *
 * @throws GatewayError store_unavailable
 */
export async function openPostgres(url: Secret): Promise<StorageDriver> {
  const pool = new Pool({
    connectionString: url.reveal(),
    application_name: 'postern',
    max: 4,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
    keepAlive: true,
  });
  // an idle connection that the server closed; the pool has already let go of it
  pool.on('error', () => {});
  const database = createDatabase(postgresql({ lib: pooled(pool) }));
  const driver = openDb0Driver(database);
  try {
    // CREATE TABLE IF NOT EXISTS fails when two instances start at once
    await inTransaction(pool, async () => driver.getKeys('', {}));
  } catch (error) {
    await pool.end();
    throw storeUnavailable('postgres', codeOf(error));
  }
  return guardStorage({
    name: 'postgres',
    shared: true,
    driver,
    commit: (changes) => inTransaction(pool, (client) => apply(client, changes)),
    close: async () => {
      if (!pool.ending) await pool.end();
    },
  });
}

/**
 * db0 0.4's connector keeps one client for good and never replaces one that broke; handed this in place of pg, its
 * client is the pool, which does.
 */
function pooled(pool: Pool): PgLibrary {
  class Client {
    connect = async (): Promise<void> => {};
    query = (sql: string, params?: unknown[]): Promise<QueryResult> => pool.query(sql, params);
  }
  // the connector uses these two members only
  return { Client } as unknown as PgLibrary;
}

type PgLibrary = NonNullable<Parameters<typeof postgresql>[0]['lib']>;

async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let finished = false;
  try {
    await client.query(BEGIN);
    const result = await work(client);
    await client.query('COMMIT');
    finished = true;
    return result;
  } finally {
    // closing the connection is the one way to roll back that works in every state it may be in
    client.release(!finished);
  }
}

async function apply(client: PoolClient, changes: readonly Change[]): Promise<boolean> {
  const { rows } = await client.query<{ key: string; value: string }>(READ, [changes.map(({ key }) => key)]);
  const current = new Map(rows.map(({ key, value }) => [key, value]));
  const met = changes.every(({ key, expected }) => expected === undefined || (current.get(key) ?? null) === expected);
  if (!met) return false;
  const put = changes.filter(({ value }) => value !== null);
  await client.query(REMOVE, [changes.filter(({ value }) => value === null).map(({ key }) => key)]);
  await client.query(PUT, [put.map(({ key }) => key), put.map(({ value }) => value)]);
  return true;
}
