import { newId } from '../../src/index.ts';
import { systemClock } from '../node-compat/clock.ts';
import type { Listening } from '../node-compat/storage/subscription.ts';
import type { KvAtomic, KvDatabase, KvEntry } from './deno-kv-database.ts';

const CHANGED = ['postern', 'changed'] as const;
const LOG = ['postern', 'log'] as const;

/** How long the keys of a commit can be looked up; who hears of it later has lost it. */
const KEPT_MS = 60_000;
/** How far clocks of instances may be apart. */
const SKEW_MS = 10_000;
/** Of keys in one entry. */
const ENTRY_CHARACTERS = 30_000;

/** Adds to a commit what tells those who watch of it. */
export function logged(atomic: KvAtomic, keys: readonly string[], nowMs: number): KvAtomic {
  const id = newId();
  return parts(keys)
    .reduce((all, part, index) => all.set([...LOG, nowMs, id, index], part, { expireIn: KEPT_MS }), atomic)
    .set(CHANGED, id);
}

function parts(keys: readonly string[]): string[][] {
  const all: string[][] = [[]];
  let characters = 0;
  for (const key of keys) {
    characters += key.length;
    if (characters > ENTRY_CHARACTERS) {
      all.push([]);
      characters = key.length;
    }
    all.at(-1)?.push(key);
  }
  return all;
}

/**
 * Tells commits until the stream is lost. `Deno.Kv.watch` says that something changed, and may say it once of many times:
 * what it was is read from the log, in the order of commits.
 */
export async function listenToLog(kv: KvDatabase, { tell, up, signal }: Listening): Promise<void> {
  const reader = kv.watch([CHANGED]).getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { value: begun } = await reader.read();
    let told = begun?.[0]?.versionstamp ?? '';
    let sinceMs = systemClock.nowMs();
    up();
    for (;;) {
      const { done, value } = await reader.read();
      const [changed] = value ?? [];
      if (done || signal.aborted || changed === undefined) return;
      const atMs = systemClock.nowMs();
      const entries = await entriesSince(kv, sinceMs);
      // a commit that is told and not in the log any more: others may be lost as well
      if (!entries.some(({ key }) => key[LOG.length + 1] === changed.value)) return;
      // of later ones only some may be seen, as they come while the log is read; they are told in their turn
      const upTo = orderOf(changed);
      for (const entry of entries) if (orderOf(entry) > told && orderOf(entry) <= upTo) tell(entry.value as string[]);
      told = upTo;
      sinceMs = atMs;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** In the order of commits. */
async function entriesSince(kv: KvDatabase, sinceMs: number): Promise<readonly KvEntry[]> {
  const selector = { start: [...LOG, sinceMs - SKEW_MS], end: [...LOG, Number.POSITIVE_INFINITY] };
  const entries: KvEntry[] = [];
  for await (const entry of kv.list(selector)) entries.push(entry);
  return entries.toSorted((a, b) => compare(orderOf(a), orderOf(b)));
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
const orderOf = ({ versionstamp }: KvEntry): string => versionstamp ?? '';
