/** What every StorageDriver promises; see src/store/driver.ts. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import { GatewayError } from '../../src/base/errors.ts';
import type { StorageDriver } from '../../src/store/driver.ts';
import { storedText } from '../support/stored-text.ts';
import type { TestServer } from '../support/redis.ts';

/** Opens one more connection to the same store. */
type Open = () => Promise<StorageDriver>;

const key = () => `gateway:${newId()}`;

/** One connection by itself. */
export function storageContract(open: Open): void {
  describe('one connection', () => {
    let storage: StorageDriver;
    beforeAll(async () => {
      storage = await open();
    });
    afterAll(() => storage.close());
    const read = (at: string) => storedText(storage, at);

    test('what was committed is read back to the last character', async () => {
      const texts = [
        JSON.stringify({ v: 1, body: { text: `"quotes" \\ $1 ? 'single' %s \u0000 ünïcödé 𝄞 \u2028` } }),
        JSON.stringify({ v: 1, body: 'x'.repeat(300_000) }),
        '{"b": 1,  "a":1e2}',
      ];
      const changes = texts.map((value) => ({ key: key(), value }));
      expect(await storage.commit(changes)).toBe(true);
      expect(await Promise.all(changes.map((change) => read(change.key)))).toEqual(texts);
    });

    test('keys differ in every character, case included', async () => {
      const ids = ['aB-_', 'ab-_', 'aB__', 'aB-', 'aB-_0', 'A'.repeat(200)].map((id) => `meta:${id}`);
      expect(await storage.commit(ids.map((id) => ({ key: id, value: JSON.stringify({ id }) })))).toBe(true);
      for (const id of ids) expect(await read(id)).toBe(JSON.stringify({ id }));
      const keys = await storage.driver.getKeys('meta', {});
      expect(keys.filter((found) => found.startsWith('meta:')).toSorted()).toEqual(ids.toSorted());
    });

    test('nothing is there before it is written and after it is removed', async () => {
      const at = key();
      expect(await read(at)).toBeNull();
      expect(await storage.commit([{ key: at, value: '{}' }])).toBe(true);
      expect(await storage.commit([{ key: at, value: null }])).toBe(true);
      expect(await read(at)).toBeNull();
      expect(await storage.driver.getKeys('gateway', {})).not.toContain(at);
      expect(await storage.commit([{ key: at, value: null }])).toBe(true);
    });

    test('an expectation decides', async () => {
      const at = key();
      expect(await storage.commit([{ key: at, value: '{"n":0}', expected: '{"n":9}' }])).toBe(false);
      expect(await read(at)).toBeNull();
      expect(await storage.commit([{ key: at, value: '{"n":1}', expected: null }])).toBe(true);
      expect(await storage.commit([{ key: at, value: '{"n":2}', expected: null }])).toBe(false);
      expect(await storage.commit([{ key: at, value: '{"n":2}', expected: '{"n":0}' }])).toBe(false);
      expect(await read(at)).toBe('{"n":1}');
      expect(await storage.commit([{ key: at, value: '{"n":2}', expected: '{"n":1}' }])).toBe(true);
      expect(await storage.commit([{ key: at, value: null, expected: '{"n":1}' }])).toBe(false);
      expect(await storage.commit([{ key: at, value: null, expected: '{"n":2}' }])).toBe(true);
      expect(await read(at)).toBeNull();
    });

    test('all changes are made or none', async () => {
      const [kept, removed, added] = [key(), key(), key()];
      await storage.commit([kept, removed].map((at) => ({ key: at, value: '{"n":1}' })));
      const changes = [
        { key: kept, value: '{"n":2}' },
        { key: removed, value: null },
        { key: added, value: '{"n":2}', expected: null },
      ];
      const failing = { key: key(), value: '{}', expected: '{"n":1}' };
      expect(await storage.commit([...changes, failing])).toBe(false);
      expect([await read(kept), await read(removed), await read(added)]).toEqual(['{"n":1}', '{"n":1}', null]);
      expect(await storage.commit(changes)).toBe(true);
      expect([await read(kept), await read(removed), await read(added)]).toEqual(['{"n":2}', null, '{"n":2}']);
    });

    test('a commit of nothing holds', async () => {
      expect(await storage.commit([])).toBe(true);
    });

    test('closing twice is closing once', async () => {
      const other = await open();
      await other.close();
      await other.close();
    });
  });
}

/** Two connections to the same store, as two instances hold them. */
export function sharedStorageContract(open: Open): void {
  describe('two connections', () => {
    let storages: StorageDriver[];
    beforeAll(async () => {
      storages = await Promise.all([open(), open()]);
    });
    afterAll(() => Promise.all(storages.map((storage) => storage.close())));

    test('one sees what the other committed', async () => {
      const [one, other] = storages;
      const at = key();
      await one?.commit([{ key: at, value: '{"n":1}' }]);
      expect(await other?.driver.getItem(at)).toBe('{"n":1}');
    });

    test('of many that create a record, one does', async () => {
      const at = key();
      const attempts = [0, 1, 2, 3, 4, 5].flatMap((n) =>
        storages.map((storage) => storage.commit([{ key: at, value: `{"n":${n}}`, expected: null }])),
      );
      expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1);
    });

    test('no increment is lost between them', async () => {
      const at = key();
      const increments = storages.flatMap((storage) => Array.from({ length: 10 }, () => increment(storage, at)));
      const conflicts = (await Promise.all(increments)).reduce((sum, met) => sum + met, 0);
      expect(await storages[0]?.driver.getItem(at)).toBe('{"n":20}');
      expect(conflicts).toBeGreaterThan(0);
    });
  });
}

/** A store behind a server that goes away and comes back. */
export function outageContract(server: () => TestServer, open: (url: string) => Promise<StorageDriver>): void {
  describe('an outage', () => {
    test('fails at once as store_unavailable, and heals by itself', async () => {
      const storage = await open(server().url);
      try {
        const at = key();
        await storage.commit([{ key: at, value: '{"n":1}' }]);
        await server().kill();
        await expectUnavailable(() => storage.driver.getItem(at), server().password);
        await expectUnavailable(() => storage.commit([{ key: at, value: '{"n":2}' }]), server().password);
        await expectUnavailable(() => open(server().url), server().password);
        await server().restart();
        const heal = { timeout: 10_000, interval: 20 };
        expect(await vi.waitFor(async () => storage.driver.getItem(at), heal)).toBe('{"n":1}');
        expect(await storage.commit([{ key: at, value: '{"n":2}', expected: '{"n":1}' }])).toBe(true);
      } finally {
        await storage.close();
      }
    });

    test('killed at any moment, it keeps all of a commit or nothing of it', { timeout: 60_000 }, async () => {
      const storage = await open(server().url);
      const keys = [key(), key(), key()];
      let acknowledged = 0;
      /** Commits one after the other until the store is gone. */
      const commitOn = async (): Promise<void> => {
        await storage.commit(keys.map((at) => ({ key: at, value: `{"n":${acknowledged + 1}}` })));
        acknowledged++;
        return commitOn();
      };
      try {
        for (let round = 0; round < 5; round++) {
          const ended = expectUnavailable(commitOn, server().password);
          const enough = acknowledged + 20 + Math.random() * 20;
          await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(enough), { timeout: 10_000, interval: 1 });
          await server().kill();
          await ended;
          await server().restart();
          const read = () => Promise.all(keys.map((at) => storedText(storage, at)));
          const texts = new Set(await vi.waitFor(read, { timeout: 10_000, interval: 20 }));
          // what was acknowledged is there; what was under way may be
          const possible = [acknowledged, acknowledged + 1].map((n) => `{"n":${n}}`);
          expect(texts.size).toBe(1);
          for (const text of texts) expect(possible).toContain(text);
        }
      } finally {
        await storage.close();
      }
    });

    test('a wrong password is refused without being told', async () => {
      await expectUnavailable(() => open(server().url.replace(server().password, 'wrong-canary')), 'wrong-canary');
    });
  });
}

async function increment(storage: StorageDriver, at: string): Promise<number> {
  for (let conflicts = 0; ; conflicts++) {
    const expected = await storedText(storage, at);
    const n: number = expected === null ? 0 : JSON.parse(expected).n;
    if (await storage.commit([{ key: at, value: `{"n":${n + 1}}`, expected }])) return conflicts;
  }
}

async function expectUnavailable(work: () => unknown, secret: string): Promise<void> {
  const error = await Promise.resolve()
    .then(work)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toMatchObject({ code: 'store_unavailable' });
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain(secret);
}
