import { beforeEach, describe, expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import type { StorageDriver } from '../../../src/store/driver.ts';
import type { Migrations } from '../../../src/store/migrations.ts';
import { RecordStore } from '../../../src/store/records.ts';
import type { StoredRecord } from '../../../src/store/stored-record.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import type { RecordedEvents } from '../../support/recorded-events.ts';
import { withoutPush } from '../../support/steered-storage.ts';
import { storedText } from '../../support/stored-text.ts';
import { mintKeyring, mintVault } from '../../support/vault.ts';

interface Body {
  readonly name: string;
}

let storage: StorageDriver;
let vault: Vault;
let log: RecordedEvents;
let records: RecordStore;
const openRecords = (migrations?: Migrations) =>
  new RecordStore({ storage, sealer: vault, events: log.sink, ...(migrations && { migrations }) });

beforeEach(async () => {
  storage = openMemory();
  vault = await mintVault();
  log = recordEvents();
  records = openRecords();
});

const rawOf = async (key: string) => (await storedText(storage, key)) ?? '';
/** What somebody does who can write the store but has no vault key. */
const tamper = async (key: string, change: (record: StoredRecord) => unknown) =>
  storage.commit([{ key, value: JSON.stringify(change(JSON.parse(await rawOf(key)))) }]);

describe('reading and writing', () => {
  test('a record comes back as it was written, with a version that changes on each write', async () => {
    const body = { name: 'a', nested: { list: [1, 'two', null, { deep: true }] } };
    expect(await records.write([{ kind: 'gateway', id: 'a', body }])).toBe(true);
    const first = await records.get('gateway', 'a');
    expect(first).toEqual({ id: 'a', body, version: expect.any(String), kid: 'k1' });
    await records.write([{ kind: 'gateway', id: 'a', body }]);
    const second = await records.get('gateway', 'a');
    expect(second?.body).toEqual(body);
    expect(second?.version).not.toBe(first?.version);
    await records.write([{ kind: 'gateway', id: 'a', body, version: 'known beforehand' }]);
    expect((await records.get('gateway', 'a'))?.version).toBe('known beforehand');
  });

  test('what is not there is undefined, also for an id no record can have', async () => {
    expect(await records.get('gateway', 'a')).toBeUndefined();
    expect(await records.get('gateway', '../../etc/passwd')).toBeUndefined();
    expect(await records.list('gateway')).toEqual([]);
  });

  test('a list holds its kind only, by id', async () => {
    const ids = ['c', 'a', 'B', 'b'];
    await records.write(ids.map((id) => ({ kind: 'gateway', id, body: { name: id } })));
    await records.write([{ kind: 'generation', id: 'current', body: { number: 1 } }]);
    expect((await records.list<Body>('gateway')).map(({ id, body }) => [id, body.name])).toEqual([
      ['B', 'B'],
      ['a', 'a'],
      ['b', 'b'],
      ['c', 'c'],
    ]);
  });

  test('an expected version decides, for all changes of the write', async () => {
    const create = { kind: 'gateway', id: 'a', body: { name: 'first' }, expectedVersion: null } as const;
    expect(await records.write([create])).toBe(true);
    expect(await records.write([create])).toBe(false);
    const { version } = (await records.get('gateway', 'a')) ?? { version: '' };
    const other = { kind: 'gateway', id: 'other', body: { name: 'other' } } as const;
    const update = { kind: 'gateway', id: 'a', body: { name: 'second' } } as const;
    expect(await records.write([other, { ...update, expectedVersion: 'stale' }])).toBe(false);
    expect(await records.get('gateway', 'other')).toBeUndefined();
    expect(await records.write([other, { ...update, expectedVersion: version }])).toBe(true);
    expect(await records.write([{ ...update, body: null, expectedVersion: version }])).toBe(false);
    expect((await records.get<Body>('gateway', 'a'))?.body.name).toBe('second');
  });

  test('a record that is removed is gone, and its version with it', async () => {
    await records.write([{ kind: 'gateway', id: 'a', body: { name: 'a' } }]);
    const { version } = (await records.get('gateway', 'a')) ?? { version: '' };
    expect(await records.write([{ kind: 'gateway', id: 'a', body: null, expectedVersion: version }])).toBe(true);
    expect(await records.get('gateway', 'a')).toBeUndefined();
    const late = { kind: 'gateway', id: 'a', body: { name: 'b' }, expectedVersion: version } as const;
    expect(await records.write([late])).toBe(false);
  });

  test('a driver that parses JSON on the way out is as good', async () => {
    await records.write([{ kind: 'gateway', id: 'a', body: { z: 1, a: { y: [1.5, 'ü'], b: null } } }]);
    const parsing = {
      ...storage,
      driver: { ...storage.driver, getItem: async (key: string) => JSON.parse(await rawOf(key)) },
    };
    const parsed = new RecordStore({ storage: parsing, sealer: vault, events: log.sink });
    const found = await parsed.get('gateway', 'a');
    expect(found?.body).toEqual({ z: 1, a: { y: [1.5, 'ü'], b: null } });
    const update = { kind: 'gateway', id: 'a', body: {}, expectedVersion: found?.version ?? '' } as const;
    expect(await parsed.write([update])).toBe(true);
  });
});

describe('a record that was touched behind our back', () => {
  beforeEach(async () => {
    const bodies = { a: 'https://a.example', b: 'https://b.example' };
    const changes = Object.entries(bodies).map(([id, url]) => ({ kind: 'gateway', id, body: { url } }) as const);
    await records.write(changes);
  });

  const attacks: Record<string, () => Promise<unknown>> = {
    'body changed': () => tamper('gateway:a', (record) => ({ ...record, body: { url: 'https://evil.example' } })),
    'member added': () =>
      tamper('gateway:a', ({ body, ...record }) => ({ ...record, body: { ...(body as object), verify: false } })),
    'version changed': () => tamper('gateway:a', (record) => ({ ...record, version: 'x' })),
    'schema changed': () => tamper('gateway:a', (record) => ({ ...record, v: 0 })),
    'authentication removed': () => tamper('gateway:a', (record) => ({ ...record, mac: undefined })),
    'authentication emptied': () => tamper('gateway:a', (record) => ({ ...record, mac: { kid: 'k1', tag: '' } })),
    'authentication nulled': () => tamper('gateway:a', (record) => ({ ...record, mac: null })),
    'tag changed': () => tamper('gateway:a', (record) => ({ ...record, mac: { kid: 'k1', tag: 'A'.repeat(43) } })),
    'another record moved here': async () => storage.commit([{ key: 'gateway:a', value: await rawOf('gateway:b') }]),
  };

  test.each(Object.keys(attacks))('%s: it is refused, the others still work', async (attack) => {
    await attacks[attack]?.();
    await expect(records.get('gateway', 'a')).rejects.toMatchObject({ code: 'record_tampered' });
    expect((await records.list('gateway')).map(({ id }) => id)).toEqual(['b']);
    expect(log.of('record.refused')).toEqual([
      { record: 'gateway:a', code: 'record_tampered', message: expect.stringContaining('gateway:a') },
    ]);
    expect(log.text()).not.toContain('evil');
  });

  test.each(['', 'null', '7', '"x"', '[]', '{', '{}', '{"v":"1","version":"a","body":{}}'])(
    'what is no record at all is refused: %s',
    async (value) => {
      await storage.commit([{ key: 'gateway:a', value }]);
      await expect(records.get('gateway', 'a')).rejects.toMatchObject({ code: 'record_invalid' });
      expect((await records.list('gateway')).map(({ id }) => id)).toEqual(['b']);
    },
  );

  test('a record under a key that is not at hand names the key', async () => {
    vault.use(await mintKeyring('k2'));
    await expect(records.get('gateway', 'a')).rejects.toMatchObject({
      code: 'vault_key_unknown',
      details: { context: 'gateway:a', kid: 'k1' },
    });
    expect(await records.list('gateway')).toEqual([]);
    expect(log.of('record.refused').map(({ code }) => code)).toEqual(['vault_key_unknown', 'vault_key_unknown']);
  });

  test('a record under another key of the same id is refused', async () => {
    vault.use(await mintKeyring('k1'));
    await expect(records.get('gateway', 'a')).rejects.toMatchObject({ code: 'record_tampered' });
  });

  test('it can be replaced and removed', async () => {
    await attacks['body changed']?.();
    expect(await records.write([{ kind: 'gateway', id: 'a', body: { url: 'https://a.example' } }])).toBe(true);
    expect((await records.get('gateway', 'a'))?.body).toEqual({ url: 'https://a.example' });
  });
});

describe('migrations', () => {
  const rename = (body: unknown) => ({ title: (body as Body).name });
  const upper = (body: unknown) => ({ title: (body as { title: string }).title.toUpperCase() });
  const v1 = (id: string) => ({ kind: 'gateway', id, body: { name: id } }) as const;

  test('a record of an older schema is read in today’s, and stays as it is in the store', async () => {
    await records.write([v1('a')]);
    const before = await rawOf('gateway:a');
    expect((await openRecords({ gateway: [rename, upper] }).get('gateway', 'a'))?.body).toEqual({ title: 'A' });
    expect(await rawOf('gateway:a')).toBe(before);
  });

  test('migrate writes each old record back once, from whatever schema it has', async () => {
    await records.write([v1('a'), v1('b')]);
    await openRecords({ gateway: [rename] }).write([{ kind: 'gateway', id: 'c', body: { title: 'c' } }]);
    await records.write([{ kind: 'generation', id: 'current', body: { number: 1 } }]);
    const migrated = openRecords({ gateway: [rename, upper] });
    expect(await migrated.migrate()).toBe(3);
    const after = await Promise.all(['a', 'b', 'c'].map((id) => rawOf(`gateway:${id}`)));
    expect(await migrated.migrate()).toBe(0);
    expect(await Promise.all(['a', 'b', 'c'].map((id) => rawOf(`gateway:${id}`)))).toEqual(after);
    expect((await migrated.list('gateway')).map(({ body }) => body)).toEqual([
      { title: 'A' },
      { title: 'B' },
      { title: 'C' },
    ]);
  });

  test('two instances may migrate at once', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `g${n}`);
    await records.write(ids.map(v1));
    const counts = await Promise.all([1, 2].map(() => openRecords({ gateway: [rename, upper] }).migrate()));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
    const titles = (await openRecords({ gateway: [rename, upper] }).list<{ title: string }>('gateway')).map(
      ({ body }) => body.title,
    );
    expect(titles.toSorted()).toEqual(ids.map((id) => id.toUpperCase()).toSorted());
  });

  test('a record of a newer schema is refused, and migrate stops', async () => {
    await openRecords({ gateway: [rename, upper] }).write([{ kind: 'gateway', id: 'a', body: { title: 'A' } }]);
    const newer = { code: 'record_newer', message: 'gateway:a has schema 3, this version knows 1 and earlier' };
    await expect(records.get('gateway', 'a')).rejects.toMatchObject(newer);
    await expect(records.migrate()).rejects.toMatchObject(newer);
    expect(await records.list('gateway')).toEqual([]);
    expect(log.of('record.refused')).toEqual([{ record: 'gateway:a', ...newer }]);
  });

  test('a record that must not be used is not migrated, and does not stop the others', async () => {
    await records.write([v1('a'), v1('b')]);
    await tamper('gateway:a', (record) => ({ ...record, body: { name: 'evil' } }));
    expect(await openRecords({ gateway: [rename] }).migrate()).toBe(1);
    expect(log.of('record.refused').map(({ record }) => record)).toEqual(['gateway:a']);
    expect(JSON.parse(await rawOf('gateway:a'))).toMatchObject({ v: 1, body: { name: 'evil' } });
  });
});

describe('watching', () => {
  test('what any instance wrote or removed is told, by record, and what is not ours is not', async () => {
    const told: unknown[] = [];
    const links: boolean[] = [];
    const stop = records.watch(
      (record) => told.push(record),
      (up) => links.push(up),
    );
    expect(records.canWatch).toBe(true);
    await openRecords().write([
      { kind: 'gateway', id: 'a', body: {} },
      { kind: 'generation', id: 'current', body: {} },
    ]);
    await storage.commit([{ key: 'somebody:else', value: '{}' }]);
    await records.write([{ kind: 'gateway', id: 'a', body: null }]);
    const all = [
      { kind: 'gateway', id: 'a' },
      { kind: 'generation', id: 'current' },
      { kind: 'gateway', id: 'a' },
    ];
    expect([told, links]).toEqual([all, [true]]);
    stop();
    await records.write([{ kind: 'gateway', id: 'b', body: {} }]);
    expect(told).toEqual(all);
  });

  test('of a store without push nothing is told', async () => {
    storage = withoutPush(storage);
    records = openRecords();
    expect(records.canWatch).toBe(false);
    const stop = records.watch(
      () => expect.fail(),
      () => expect.fail(),
    );
    await records.write([{ kind: 'gateway', id: 'a', body: {} }]);
    stop();
  });
});
