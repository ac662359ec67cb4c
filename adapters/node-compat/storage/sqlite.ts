import { chmod, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase } from 'db0';
import nodeSqlite from 'db0/connectors/node-sqlite';
import { GatewayError, codeOf, guardStorage, storeUnavailable } from '../../../src/index.ts';
import type { Change, StorageDriver } from '../../../src/index.ts';
import { makeFolder } from '../files/make-folder.ts';
import { openDb0Driver, TABLE } from './db0.ts';

/**
 * How long one statement may wait for another process, in milliseconds: short, because node:sqlite blocks the event
 * loop while it waits. In WAL mode readers wait only while another process recovers the file after a crash.
 */
const BUSY_TIMEOUT_MS = 250;

/** How long a commit keeps trying while another process holds the write lock, in milliseconds. */
const COMMIT_DEADLINE_MS = 5_000;

/**
 * The embedded store: one file (0600) that several processes of this machine may use at once.
 *
 * @throws GatewayError store_unavailable
 */
export async function openSqlite(path: string): Promise<StorageDriver> {
  const database = createDatabase(nodeSqlite({ path }));
  try {
    await createPrivately(path);
    const sqlite = await database.getInstance();
    await whileBusy(() => configure(sqlite));
    const driver = openDb0Driver(database);
    await whileBusy(async () => driver.getKeys('', {}));
    await makePrivate(path);
    return guardStorage(
      { name: 'sqlite', shared: false, driver, commit: committer(sqlite), close: async () => database.dispose() },
      reasonOf,
    );
  } catch (error) {
    await database.dispose();
    throw error instanceof GatewayError ? error : storeUnavailable('sqlite', `${reasonOf(error)}: ${path}`);
  }
}

/** Creates the file before SQLite does, which would leave its mode to the umask. */
async function createPrivately(path: string): Promise<void> {
  await makeFolder(dirname(path));
  try {
    const file = await open(path, 'wx', 0o600);
    await file.close();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Shuts other accounts out of a file that came with a wider mode; called once it has shown to be a database. By path:
 * closing a descriptor of a file that SQLite has open in this process would drop SQLite's locks on it.
 */
async function makePrivate(path: string): Promise<void> {
  for (const file of [path, `${path}-wal`, `${path}-shm`])
    if (((await stat(file)).mode & 0o077) !== 0) await chmod(file, 0o600);
}

function configure(sqlite: DatabaseSync): void {
  sqlite.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const mode = sqlite.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  if (mode !== 'wal') throw storeUnavailable('sqlite', 'its file system cannot hold a write-ahead log');
  // NORMAL may lose the last commits on power loss; commits are rare and FULL costs them one fsync
  sqlite.exec('PRAGMA synchronous = FULL');
}

function committer(sqlite: DatabaseSync): StorageDriver['commit'] {
  const read = sqlite.prepare(`SELECT value FROM ${TABLE} WHERE key = ?`);
  const remove = sqlite.prepare(`DELETE FROM ${TABLE} WHERE key = ?`);
  const put = sqlite.prepare(
    `INSERT INTO ${TABLE} (key, value) VALUES (?, ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = CURRENT_TIMESTAMP`,
  );
  const isMet = ({ key, expected }: Change): boolean =>
    expected === undefined || (read.get(key)?.['value'] ?? null) === expected;

  // synchronous from BEGIN to COMMIT, so nothing else of this process comes between
  const commit = (changes: readonly Change[]): boolean => {
    sqlite.exec('BEGIN IMMEDIATE');
    try {
      const met = changes.every(isMet);
      if (met)
        for (const { key, value } of changes)
          if (value === null) remove.run(key);
          else put.run(key, value);
      sqlite.exec(met ? 'COMMIT' : 'ROLLBACK');
      return met;
    } finally {
      if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
    }
  };
  return (changes) => whileBusy(() => commit(changes));
}

async function whileBusy<T>(work: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + COMMIT_DEADLINE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await delay(5 + Math.random() * 20);
    }
  }
}

/**
 * The low byte is the primary result code, 5 is SQLITE_BUSY: https://sqlite.org/rescode.html. Deno 2.9.6 tells SQLite's
 * text for it alone.
 */
const isBusy = (error: unknown): boolean => {
  const { errcode = 0, message } = error as { errcode?: number; message?: string };
  return errcode % 256 === 5 || message === 'database is locked';
};

/** SQLite's own fixed text ("database or disk is full"), else the system's code. */
const reasonOf = (error: unknown): string => (error as { errstr?: string }).errstr ?? codeOf(error);
