import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase } from 'db0';
import postgresql from 'db0/connectors/postgresql';
import { Client, Pool } from 'pg';
import type { ClientConfig, PoolClient, QueryResult } from 'pg';
import { codeOf, guardStorage, storeUnavailable } from '../../../src/index.ts';
import type { Change, Secret, StorageDriver } from '../../../src/index.ts';
import { openDb0Driver, TABLE } from './db0.ts';
import { heedHeartbeat, Subscription } from './subscription.ts';
import type { Listening } from './subscription.ts';

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

/** How long the connection that listens may take to hear of what another one told, in milliseconds. */
const PROOF_MS = 3_000;

/** Keys are told by thirty, since 8,000 bytes may be told at once and a key has at most 255. */
const APPLY = `
  WITH removed AS (DELETE FROM ${TABLE} WHERE key = ANY($1)),
  put AS (
    INSERT INTO ${TABLE} (key, value) SELECT * FROM unnest($2::text[], $3::text[])
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = CURRENT_TIMESTAMP
  )
  SELECT pg_notify($4, string_agg(key, ' ')) FROM unnest($1::text[] || $2) WITH ORDINALITY AS changed (key, place)
  GROUP BY (place - 1) / 30`;

/** Where commits are told; other schemas of the database have other records. */
const CHANNEL = `SELECT 'postern:commits:' || relnamespace AS channel FROM pg_class WHERE oid = '${TABLE}'::regclass`;

/**
 * Records in PostgreSQL 13 or newer, in the table `postern_records` of the role's default schema. Behind a pooler that
 * lends connections by the transaction nothing is told, since there nobody can listen.
 *
 * @throws GatewayError store_unavailable
 */
export async function openPostgres(url: Secret): Promise<StorageDriver> {
  const options = {
    connectionString: url.reveal(),
    application_name: 'postern',
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
    keepAlive: true,
  };
  const pool = new Pool({ ...options, max: 4 });
  // a connection that broke while idle, which the pool has let go of by then, or while a commit held it, which fails
  pool.on('error', () => {});
  pool.on('connect', (client) => void client.on('error', () => {}));
  const database = createDatabase(postgresql({ lib: pooled(pool) }));
  const driver = openDb0Driver(database);
  let channel: string;
  try {
    // CREATE TABLE IF NOT EXISTS fails when two instances start at once
    await inTransaction(pool, async () => driver.getKeys('', {}));
    channel = (await pool.query<{ channel: string }>(CHANNEL)).rows[0]?.channel ?? '';
  } catch (error) {
    await pool.end();
    throw storeUnavailable('postgres', codeOf(error));
  }
  const subscription = new Subscription((listening) => listen(options, pool, channel, listening));
  return guardStorage({
    name: 'postgres',
    shared: true,
    driver,
    commit: (changes) => inTransaction(pool, (client) => apply(client, changes, channel)),
    watch: subscription.watch,
    close: async () => {
      await Promise.all([subscription.close(), pool.ending || pool.end()]);
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

async function apply(client: PoolClient, changes: readonly Change[], channel: string): Promise<boolean> {
  const { rows } = await client.query<{ key: string; value: string }>(READ, [changes.map(({ key }) => key)]);
  const current = new Map(rows.map(({ key, value }) => [key, value]));
  const met = changes.every(({ key, expected }) => expected === undefined || (current.get(key) ?? null) === expected);
  if (!met) return false;
  const put = changes.filter(({ value }) => value !== null);
  await client.query(APPLY, [
    changes.filter(({ value }) => value === null).map(({ key }) => key),
    put.map(({ key }) => key),
    put.map(({ value }) => value),
    channel,
  ]);
  return true;
}

/** Over a connection of its own, which belongs to no pool: what is told comes to the connection that listens. */
async function listen(
  options: ClientConfig,
  pool: Pool,
  channel: string,
  { tell, up, signal }: Listening,
): Promise<'refused'> {
  const client = new Client(options);
  const lost = new AbortController();
  const over = AbortSignal.any([signal, lost.signal]);
  const heard = Promise.withResolvers<void>();
  client.on('error', () => {});
  client.on('end', () => lost.abort());
  client.on('notification', ({ payload }) => (payload ? tell(payload.split(' ')) : heard.resolve()));
  // at once, where `end` would wait for a peer that may be gone
  over.addEventListener('abort', () => client.connection.stream.destroy());
  try {
    await client.connect();
    await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    // a pooler takes LISTEN and delivers nothing, so what is told elsewhere must have been heard here once
    await pool.query(`SELECT pg_notify($1, '')`, [channel]);
    const proof = await Promise.race([
      heard.promise,
      delay(PROOF_MS, 'refused' as const, { signal: over, ref: false }),
    ]);
    if (proof) return proof;
    up();
    return await heedHeartbeat(() => client.query('SELECT 1'), over);
  } finally {
    lost.abort();
  }
}
