import { guardStorage } from '../../../src/index.ts';
import type { Change, StorageDriver } from '../../../src/index.ts';
import type { KvNamespace } from '../bindings.ts';

/**
 * Records in Workers KV, which promises less than any other store: what is written in one place of the world is read
 * elsewhere up to a minute later, nothing is compared, and a commit that breaks off is half made. Here an expectation
 * is looked up before the first write, and commits of one instance go one after the other; two instances that change
 * the same record at the same time both succeed, and one change is lost.
 *
 * @see https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency
 */
export async function openWorkersKv(namespace: KvNamespace): Promise<StorageDriver> {
  let last: Promise<unknown> = Promise.resolve();
  return guardStorage({
    name: 'cf-kv',
    shared: true,
    driver: {
      getItem: (key) => namespace.get(key),
      getKeys: (base) => keysIn(namespace, base),
    },
    commit: (changes) => {
      const turn = last.then(() => commit(namespace, changes));
      last = turn.catch(() => undefined);
      return turn;
    },
    close: () => Promise.resolve(),
  });
}

async function commit(namespace: KvNamespace, changes: readonly Change[]): Promise<boolean> {
  const expecting = changes.filter(({ expected }) => expected !== undefined);
  const met = await Promise.all(expecting.map(async ({ key, expected }) => (await namespace.get(key)) === expected));
  if (met.includes(false)) return false;
  // in their order: the generation comes last, so whoever sees it may find the rest
  for (const { key, value } of changes) await (value === null ? namespace.delete(key) : namespace.put(key, value));
  return true;
}

async function keysIn(namespace: KvNamespace, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await namespace.list({ prefix, ...(cursor !== undefined && { cursor }) });
    keys.push(...page.keys.map(({ name }) => name));
    if (page.list_complete || page.cursor === undefined) return keys;
    cursor = page.cursor;
  }
}
