/** What a StorageDriver with `watch` promises; see src/store/driver.ts. */
import { describe, expect, test } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import type { StorageDriver } from '../../src/store/driver.ts';
import { closeAfterEach } from '../support/closing.ts';
import { watchStore } from '../support/watched-store.ts';

const key = () => `gateway:${newId()}`;
const put = (storage: StorageDriver, ...keys: string[]) => storage.commit(keys.map((at) => ({ key: at, value: '{}' })));

/** @param pair two connections to one store, or twice the same where a store has one only */
export function watchContract(pair: () => Promise<[StorageDriver, StorageDriver]>): void {
  describe('watching', () => {
    const closing = closeAfterEach();
    const openPair = async () => {
      const storages = await pair();
      closing.push(() => Promise.all(storages.map((storage) => storage.close())));
      return storages;
    };

    test('commits of every connection are told with their keys, once they can be read', async () => {
      const [here, there] = await openPair();
      const watched = watchStore(here);
      await watched.link(true);
      const [first, second, third] = [key(), key(), key()];
      const read: unknown[] = [];
      here.watch?.(
        (keys) => keys.includes(first) && read.push(here.driver.getItem(first)),
        () => undefined,
      );
      await there.commit([
        { key: first, value: '{"n":1}' },
        { key: second, value: '{"n":1}', expected: null },
      ]);
      await here.commit([{ key: third, value: '{"n":1}' }]);
      await there.commit([{ key: second, value: null }]);
      await watched.settled();
      expect(watched.told).toEqual([first, second, third, second]);
      expect(await Promise.all(read)).toEqual(['{"n":1}']);
      expect(watched.links).toEqual([true]);
    });

    test('a commit that was not made is not told', async () => {
      const [here, there] = await openPair();
      const watched = watchStore(here);
      await watched.link(true);
      const at = key();
      expect(await there.commit([{ key: at, value: '{}', expected: '{"n":9}' }])).toBe(false);
      expect(
        await there.commit([
          { key: key(), value: '{}' },
          { key: at, value: null, expected: '{}' },
        ]),
      ).toBe(false);
      expect(await there.commit([])).toBe(true);
      await watched.settled();
      expect(watched.told).toEqual([]);
    });

    test('of a large commit every key is told', async () => {
      const [here, there] = await openPair();
      const watched = watchStore(here);
      await watched.link(true);
      const keys = Array.from({ length: 500 }, (_, n) => `gateway:${n}-${'x'.repeat(120)}`);
      await put(there, ...keys);
      await there.commit(keys.map((at) => ({ key: at, value: null })));
      await watched.settled();
      expect(watched.told.toSorted()).toEqual([...keys, ...keys].toSorted());
    });

    test('a flood is told to the last commit, in its order', async () => {
      const [here, there] = await openPair();
      const watched = watchStore(here);
      await watched.link(true);
      const lanes = ['a', 'b', 'c', 'd'].map((lane) => Array.from({ length: 250 }, (_, n) => `gateway:${lane}${n}`));
      const flow = async (keys: readonly string[]) => {
        for (const at of keys) await put(there, at);
      };
      await Promise.all(lanes.map(flow));
      await watched.settled();
      for (const keys of lanes) expect(watched.told.filter((at) => keys.includes(at))).toEqual(keys);
      expect(watched.told).toHaveLength(1000);
      expect(watched.links).toEqual([true]);
    });

    test('many may watch; who stopped is told nothing, and who begins is told that it works', async () => {
      const [here, there] = await openPair();
      const first = watchStore(here);
      await first.link(true);
      const second = watchStore(here);
      await second.link(true);
      first.stop();
      const [one, other] = [key(), key()];
      await put(there, one);
      await second.settled();
      expect([first.told, second.told]).toEqual([[], [one]]);
      second.stop();
      await put(there, key());
      const again = watchStore(here);
      await again.link(true);
      await put(there, other);
      await again.settled();
      expect([first.told, second.told, again.told]).toEqual([[], [one], [other]]);
    });

    test('closing ends it, without a word', async () => {
      const [here, there] = await openPair();
      const [ended, watched] = [watchStore(here), watchStore(there)];
      await Promise.all([ended.link(true), watched.link(true)]);
      await here.close();
      const late = here.watch?.(
        () => expect.fail(),
        () => expect.fail(),
      );
      if (there === here) await put(there, key()).catch(() => undefined);
      else {
        await put(there, key());
        await watched.settled();
      }
      late?.();
      expect([ended.told, ended.links]).toEqual([[], [true]]);
    });
  });
}
