import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqlite } from '../../../adapters/node-compat/storage/sqlite.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { StorageDriver } from '../../../src/store/driver.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { openKeyring } from '../../../src/vault/keyring.ts';
import { rotateVault } from '../../../src/vault/rotate.ts';
import type { RotationProgress } from '../../../src/vault/rotate.ts';
import { fieldContext } from '../../../src/vault/sealed-fields.ts';
import { generateVaultKey } from '../../../src/vault/vault-keys.ts';
import { Vault } from '../../../src/vault/vault.ts';
import type { Sealed } from '../../../src/vault/vault.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import type { RecordedEvents } from '../../support/recorded-events.ts';
import { storedText } from '../../support/stored-text.ts';

const CANARY = 'canary-private-key';
const [OLD, NEW] = [generateVaultKey('old'), generateVaultKey('new')];

interface Body {
  readonly name: string;
  readonly client_key: Sealed;
  readonly headers: { readonly 'x-api-key': Sealed };
  readonly count?: number;
}

let directory: string;
let storage: StorageDriver;
let vault: Vault;
let log: RecordedEvents;
let records: RecordStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-rotate-'));
  storage = await openSqlite(join(directory, 'postern.db'));
  vault = new Vault(await openKeyring([OLD]));
  log = recordEvents();
  records = new RecordStore({ storage, sealer: vault, events: log.sink });
});
afterEach(async () => {
  await storage.close();
  await rm(directory, { recursive: true });
});

const seal = async (id: string, ...path: string[]) => ({
  sealed: await vault.seal(new Secret(`${CANARY} ${id} ${path.join()}`), fieldContext(`gateway:${id}`, path)),
});
const bodyOf = async (id: string): Promise<Body> => ({
  name: id,
  client_key: await seal(id, 'client_key'),
  headers: { 'x-api-key': await seal(id, 'headers', 'x-api-key') },
});
const register = async (...ids: string[]) => {
  for (const id of ids) await records.write([{ kind: 'gateway', id, body: await bodyOf(id) }]);
};
const rotate = (onProgress?: (progress: RotationProgress) => void) =>
  rotateVault({ records, vault, events: log.sink, ...(onProgress && { onProgress }) });
/** Reads everything with the new key alone. */
const openAll = async (ids: readonly string[]) => {
  vault.use(await openKeyring([NEW]));
  for (const id of ids) {
    const body = (await records.get<Body>('gateway', id))?.body;
    const opened = await Promise.all([
      vault.open(body?.client_key.sealed ?? '', `gateway:${id}:client_key`),
      vault.open(body?.headers['x-api-key'].sealed ?? '', `gateway:${id}:headers/x-api-key`),
    ]);
    expect(opened.map((secret) => secret.reveal())).toEqual([
      `${CANARY} ${id} client_key`,
      `${CANARY} ${id} headers,x-api-key`,
    ]);
  }
};

test('after a rotation the new key alone opens everything', async () => {
  await register('a', 'b', 'c');
  await records.write([{ kind: 'generation', id: 'current', body: { number: 1 } }]);
  vault.use(await openKeyring([NEW, OLD]));
  const progress: RotationProgress[] = [];
  expect(await rotate((step) => progress.push(step))).toEqual({ kid: 'new', resealed: 4, refused: [] });
  expect(progress.slice(0, 4).map(({ done, total, resealed }) => [done, total, resealed])).toEqual([
    [1, 4, 1],
    [2, 4, 2],
    [3, 4, 3],
    [4, 4, 4],
  ]);
  expect(log.of('vault.rotated')).toEqual([{ kid: 'new', resealed: 4 }]);
  await openAll(['a', 'b', 'c']);
  expect((await records.get('generation', 'current'))?.body).toEqual({ number: 1 });
});

test('a second rotation changes nothing', async () => {
  await register('a', 'b');
  vault.use(await openKeyring([NEW, OLD]));
  await rotate();
  const before = await records.list('gateway');
  expect(await rotate()).toEqual({ kid: 'new', resealed: 0, refused: [] });
  expect(await records.list('gateway')).toEqual(before);
});

test('a rotation that was stopped goes on where it stopped', async () => {
  await register('a', 'b', 'c');
  vault.use(await openKeyring([NEW, OLD]));
  const stop = new Error('stopped');
  const stopping = rotate(({ done }) => {
    if (done === 2) throw stop;
  });
  await expect(stopping).rejects.toBe(stop);
  expect((await records.list('gateway')).map(({ kid }) => kid).toSorted()).toEqual(['new', 'new', 'old']);
  expect((await rotate()).resealed).toBe(1);
  await openAll(['a', 'b', 'c']);
});

test('nothing a writer writes meanwhile is lost', async () => {
  const ids = Array.from({ length: 12 }, (_, n) => `g${n}`);
  await register(...ids);
  // another instance: its own connection and keys
  const theirStorage = await openSqlite(join(directory, 'postern.db'));
  const theirVault = new Vault(await openKeyring([NEW, OLD]));
  const theirRecords = new RecordStore({ storage: theirStorage, sealer: theirVault, events: log.sink });
  const rotated = new AbortController();
  let written = 0;
  const writing = (async () => {
    while (!rotated.signal.aborted) {
      const id = ids[written % ids.length] ?? '';
      const record = await theirRecords.get<Body>('gateway', id);
      const body = { ...record?.body, count: (record?.body.count ?? 0) + 1 };
      if (await theirRecords.write([{ kind: 'gateway', id, body, expectedVersion: record?.version ?? null }]))
        written++;
    }
  })();
  vault.use(await openKeyring([NEW, OLD]));
  const { refused } = await rotate();
  rotated.abort();
  await writing;
  await theirStorage.close();

  expect(refused).toEqual([]);
  expect(written).toBeGreaterThan(0);
  const counts = (await records.list<Body>('gateway')).map(({ body }) => body.count ?? 0);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(written);
  await openAll(ids);
});

test('what cannot be opened is left as it is and named, and the rest is resealed', async () => {
  await register('a', 'b', 'c', 'd');
  const body = await bodyOf('a');
  const lost = new Vault(await openKeyring([generateVaultKey('lost')]));
  const lookalike = { sealed: await lost.seal(new Secret('x'), 'gateway:a:listing') };
  const moved = (await records.get<Body>('gateway', 'b'))?.body.client_key;
  await records.write([{ kind: 'gateway', id: 'a', body: { ...body, listing: lookalike, moved } }]);
  await storage.commit([{ key: 'gateway:c', value: await storedText(storage, 'gateway:d') }]);

  vault.use(await openKeyring([NEW, OLD]));
  const { resealed, refused } = await rotate();
  expect(resealed).toBe(3);
  expect(refused.map(({ context, code }) => `${context} ${code}`).toSorted()).toEqual([
    'gateway:a:listing vault_key_unknown',
    'gateway:a:moved vault_open_failed',
    'gateway:c record_tampered',
  ]);
  expect((await records.get('gateway', 'a'))?.body).toMatchObject({ listing: lookalike, moved });
  await openAll(['a', 'b', 'd']);
});

test('records that never come to rest end the rotation with a reason', async () => {
  await register('a');
  vault.use(await openKeyring([NEW, OLD]));
  // each time a record was resealed, somebody who holds only the old key writes it again
  const theirs = new RecordStore({ storage, sealer: new Vault(await openKeyring([OLD])), events: log.sink });
  const body = await bodyOf('a');
  const restless = {
    ...storage,
    commit: async (changes: Parameters<StorageDriver['commit']>[0]) => {
      const done = await storage.commit(changes);
      await theirs.write([{ kind: 'gateway', id: 'a', body }]);
      return done;
    },
  };
  const rotating = rotateVault({
    records: new RecordStore({ storage: restless, sealer: vault, events: log.sink }),
    vault,
    events: log.sink,
  });
  await expect(rotating).rejects.toMatchObject({ code: 'vault_rotation_contended' });
});

test('plaintext is in no file, event or error', async () => {
  await register('a', 'b');
  vault.use(await openKeyring([NEW, OLD]));
  await rotate();
  const files = await readdir(directory);
  expect(files.toSorted()).toEqual(['postern.db', 'postern.db-shm', 'postern.db-wal']);
  const bytes = await Promise.all(files.map((file) => readFile(join(directory, file))));
  expect(bytes.some((content) => content.includes('gateway:a'))).toBe(true);
  const key = OLD.key.reveal();
  for (const content of bytes)
    for (const secret of [CANARY, Buffer.from(CANARY).toString('base64').slice(0, -4), key, Buffer.from(key, 'base64')])
      expect(content.includes(secret)).toBe(false);
  const errors = await Promise.all([
    vault
      .open((await records.get<Body>('gateway', 'a'))?.body.client_key.sealed ?? '', 'gateway:b:client_key')
      .catch(String),
    records.write([{ kind: 'gateway', id: '../a', body: await bodyOf('a') }]).catch((error: unknown) => inspect(error)),
  ]);
  expect(errors.join() + log.text()).not.toContain(CANARY);
});
