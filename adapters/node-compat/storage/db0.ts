import type { Database } from 'db0';
import type { Driver } from 'unstorage';
import db0Driver from 'unstorage/drivers/db0';

/** The table records live in; its column names are unstorage's. */
export const TABLE = 'postern_records';

/** unstorage's driver over an open database. */
export function openDb0Driver(database: Database): Driver {
  // unstorage 1.17.6 warns on the console, past our log, that this driver may change, unless it believes it already
  // has; what we need of it is pinned by test/contract/storage-contract.ts
  (globalThis as { __unstorage_db0_experimental_warning__?: boolean }).__unstorage_db0_experimental_warning__ = true;
  return db0Driver({ database, tableName: TABLE });
}
