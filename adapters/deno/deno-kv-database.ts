import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError, codeOf, storeUnavailable } from '../../src/index.ts';
import { systemClock } from '../node-compat/clock.ts';
import { makeFolder } from '../node-compat/files/make-folder.ts';

export type KvKey = readonly (string | number)[];

export interface KvEntry {
  readonly key: KvKey;
  readonly value: unknown;
  /** Grows with every commit; null where there is nothing. */
  readonly versionstamp: string | null;
}

/** One commit being put together. */
export interface KvAtomic {
  check(...checks: readonly Pick<KvEntry, 'key' | 'versionstamp'>[]): KvAtomic;
  set(key: KvKey, value: unknown, options?: { readonly expireIn: number }): KvAtomic;
  delete(key: KvKey): KvAtomic;
  commit(): Promise<{ readonly ok: boolean }>;
}

/** As much of `Deno.Kv` as records need: Deno's own types clash with Node's. @see https://docs.deno.com/api/deno/~/Deno.Kv */
export interface KvDatabase {
  get(key: KvKey): Promise<KvEntry>;
  /** At most 10. */
  getMany(keys: readonly KvKey[]): Promise<readonly KvEntry[]>;
  list(selector: { readonly start: KvKey; readonly end: KvKey }): AsyncIterable<KvEntry>;
  atomic(): KvAtomic;
  watch(keys: readonly KvKey[]): ReadableStream<readonly KvEntry[]>;
  close(): void;
}

/**
 * Opens a database: a file, made for its owner only; `https://…`; or the one of the platform when `path` is undefined.
 *
 * @throws GatewayError capability_unsupported, store_unavailable
 */
export async function openDatabase(path: string | undefined): Promise<KvDatabase> {
  const { Deno } = globalThis as { Deno?: { readonly openKv?: (path?: string) => Promise<KvDatabase> } };
  if (Deno?.openKv === undefined) throw notThere();
  try {
    if (path !== undefined && isFile(path)) await createPrivately(path);
    return await Deno.openKv(path);
  } catch (error) {
    if (error instanceof Error && /unstable/.test(error.message)) throw notThere();
    throw storeUnavailable('deno-kv', codeOf(error));
  }
}

/** How long to go on while others hold the lock on a file, in milliseconds. */
const LOCKED_DEADLINE_MS = 5_000;

/** Tries again what failed since another connection holds the lock on the file; then nothing was done of it. */
export async function whileLocked<T>(work: () => Promise<T>): Promise<T> {
  const deadlineMs = systemClock.monotonicMs() + LOCKED_DEADLINE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isLocked = error instanceof Error && error.message === 'database is locked';
      if (!isLocked || systemClock.monotonicMs() > deadlineMs) throw error;
      await delay(5 + Math.random() * 20);
    }
  }
}

export const isFile = (path: string): boolean => path !== ':memory:' && !/^https?:/.test(path);

async function createPrivately(path: string): Promise<void> {
  await makeFolder(dirname(path));
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function notThere(): GatewayError {
  return new GatewayError('capability_unsupported', 'this Deno does not open Deno KV', {
    hint: 'start it with --unstable-kv, or with "unstable": ["kv"] in deno.json',
  });
}
