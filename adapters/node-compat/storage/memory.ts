import memoryDriver from 'unstorage/drivers/memory';
import type { Change, StorageDriver } from '../../../src/index.ts';
import { Watchers } from './watchers.ts';

/** Records in the memory of this process, gone with it. */
export function openMemory(): StorageDriver {
  const driver = memoryDriver();
  // the driver's own map, where each value is the text a commit put there
  const texts = driver.getInstance?.() as Map<string, string>;
  const watchers = new Watchers(true);
  return {
    name: 'memory',
    shared: false,
    driver,
    commit: async (changes) => {
      const made = commit(texts, changes);
      // not in the middle of whoever commits, as in a store that is elsewhere
      if (made && changes.length > 0) queueMicrotask(() => watchers.tell(changes.map(({ key }) => key)));
      return made;
    },
    watch: (onChange, onLink) => watchers.add(onChange, onLink),
    close: async () => {
      watchers.close();
      texts.clear();
    },
  };
}

function commit(texts: Map<string, string>, changes: readonly Change[]): boolean {
  const met = changes.every(({ key, expected }) => expected === undefined || (texts.get(key) ?? null) === expected);
  if (!met) return false;
  for (const { key, value } of changes)
    if (value === null) texts.delete(key);
    else texts.set(key, value);
  return true;
}
