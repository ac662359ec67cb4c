import { codeOf, guardStorage } from '../../src/index.ts';
import type { Change, Secret, StorageDriver } from '../../src/index.ts';
import { systemClock } from '../node-compat/clock.ts';
import { Subscription } from '../node-compat/storage/subscription.ts';
import { isFile, openDatabase, whileLocked } from './deno-kv-database.ts';
import type { KvDatabase, KvEntry } from './deno-kv-database.ts';
import { listenToLog, logged } from './deno-kv-log.ts';
import { Writing, listKeys, readRecords, recordKey, removePieces, textOf } from './deno-kv-records.ts';

/** Deno's own limit; more cannot be all or nothing. */
const MOST_EXPECTATIONS = 100;
/** How long a commit keeps trying while others change what it expects without changing what it reads. */
const COMMIT_DEADLINE_MS = 5_000;
/** A record is replaced while it is read: so many times in a row it never is. */
const MOST_READS = 20;

/**
 * Deno KV as a store: `deno-kv:PATH` a file, which processes of this machine may share; `deno-kv:https://…` a database
 * elsewhere; `deno-kv:` alone the one of the platform. Where it is a file nothing is told: Deno tells commits of its
 * own process only, so other processes have to look.
 *
 * @throws GatewayError capability_unsupported, store_unavailable
 */
export async function openDenoKv(storage: Secret): Promise<StorageDriver> {
  const path = storage.reveal().slice('deno-kv:'.length) || undefined;
  const kv = await openDatabase(path);
  const isTold = path === undefined || !isFile(path);
  const subscription = isTold ? new Subscription((listening) => listenToLog(kv, listening)) : undefined;
  let isClosed = false;
  return guardStorage(
    {
      name: 'deno-kv',
      shared: path === undefined || /^https?:/.test(path),
      driver: {
        getItem: (key) => readText(kv, key),
        getKeys: (base) => listKeys(kv, base),
      },
      commit: (changes) => commit(kv, changes, isTold),
      ...(subscription && { watch: subscription.watch }),
      close: async () => {
        if (isClosed) return;
        isClosed = true;
        await subscription?.close();
        kv.close();
      },
    },
    reasonOf,
  );
}

async function readText(kv: KvDatabase, key: string): Promise<string | null> {
  for (let reads = 0; reads < MOST_READS; reads++) {
    const [entry] = await readRecords(kv, [key]);
    const text = entry && (await textOf(kv, entry));
    if (text !== undefined) return text;
  }
  throw refusal('a record is never whole');
}

/** Deno KV compares versions, not values: what is expected is read first, and must be as it was read. */
async function commit(kv: KvDatabase, changes: readonly Change[], isTold: boolean): Promise<boolean> {
  if (changes.length === 0) return true;
  if (changes.filter(({ expected }) => expected !== undefined).length > MOST_EXPECTATIONS)
    throw refusal(`a commit of more than ${MOST_EXPECTATIONS} expectations`);
  const deadlineMs = systemClock.monotonicMs() + COMMIT_DEADLINE_MS;
  const writing = new Writing(kv);
  const values: unknown[] = [];
  for (const { value } of changes) values.push(value === null ? null : await writing.prepare(value));
  // where it throws, the commit may have been made, and what it may name stays
  for (;;) {
    const outcome = await attempt(kv, changes, values, isTold);
    if (outcome === 'made') return true;
    if (outcome === 'again' && systemClock.monotonicMs() < deadlineMs) continue;
    await writing.giveUp();
    if (outcome === 'unmet') return false;
    throw refusal('others were faster each time');
  }
}

type Outcome = 'made' | 'unmet' | 'again';

async function attempt(
  kv: KvDatabase,
  changes: readonly Change[],
  values: readonly unknown[],
  isTold: boolean,
): Promise<Outcome> {
  const before = await readRecords(
    kv,
    changes.map(({ key }) => key),
  );
  let atomic = kv.atomic();
  for (const [index, { key, expected }] of changes.entries()) {
    const entry = before[index] as KvEntry;
    if (expected !== undefined) {
      const text = await textOf(kv, entry);
      if (text === undefined) return 'again';
      if (text !== expected) return 'unmet';
      atomic = atomic.check(entry);
    }
    const value = values[index];
    atomic = value === null ? atomic.delete(recordKey(key)) : atomic.set(recordKey(key), value);
  }
  const keys = changes.map(({ key }) => key);
  const whole = isTold ? logged(atomic, keys, systemClock.nowMs()) : atomic;
  const { ok } = await whileLocked(() => whole.commit());
  if (!ok) return 'again';
  await removePieces(
    kv,
    before.map(({ value }) => value),
  );
  return 'made';
}

/** Something Deno KV cannot do, in our own words. */
const refusal = (code: string): Error => Object.assign(new Error(code), { code });

/** Deno's fixed text for a limit that was met, else the code. */
const reasonOf = (error: unknown): string => {
  const { name, message } = error as { name?: string; message?: string };
  return name === 'TypeError' && /too (many|large)/i.test(message ?? '') ? String(message) : codeOf(error);
};
