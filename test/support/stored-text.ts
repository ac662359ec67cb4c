import type { StorageDriver } from '../../src/store/driver.ts';

/** The text under a key as the store holds it; null when there is none. */
export async function storedText(storage: StorageDriver, key: string): Promise<string | null> {
  const value = await storage.driver.getItem(key);
  if (value === null || typeof value === 'string') return value;
  throw new TypeError(`expected the text under ${key}, met a ${typeof value}`);
}
