import memoryDriver from 'unstorage/drivers/memory';
import type { Change, StorageDriver } from '../../../src/index.ts';

/** Records in the memory of this process, gone with it. */
export function openMemory(): StorageDriver {
  const driver = memoryDriver();
  // the driver's own map, where each value is the text a commit put there
  const texts = driver.getInstance?.() as Map<string, string>;
  return {
    name: 'memory',
    shared: false,
    driver,
    commit: async (changes) => commit(texts, changes),
    close: async () => texts.clear(),
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
