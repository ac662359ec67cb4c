import { beforeEach, expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { LegacySessions } from '../../../src/session/legacy-sessions.ts';
import { SessionRecords } from '../../../src/session/session-records.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { openKeyring } from '../../../src/vault/keyring.ts';
import { rotateVault } from '../../../src/vault/rotate.ts';
import { generateVaultKey } from '../../../src/vault/vault-keys.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintVault } from '../../support/vault.ts';

const HOUR_MS = 3_600_000;
const events = () => undefined;

let vault: Vault;
let records: RecordStore;
let clock: ManualClock;
beforeEach(async () => {
  vault = await mintVault();
  records = new RecordStore({ storage: openMemory(), sealer: vault, events });
  clock = new ManualClock();
});

test('a record is kept as long as its session would have lived, and goes with a later one', async () => {
  const sessions = new SessionRecords(records, vault, clock);
  const first = { id: 'first', expiresAtMs: clock.nowMs() + HOUR_MS };
  await sessions.end(first);
  clock.advance(HOUR_MS - 1);
  await sessions.end({ id: 'second', expiresAtMs: clock.nowMs() + 10 * HOUR_MS });
  expect(await sessions.read(first)).toMatchObject({ ended: true });
  clock.advance(HOUR_MS);
  await sessions.end({ id: 'third', expiresAtMs: clock.nowMs() + HOUR_MS });
  expect(await sessions.read(first)).toBeUndefined();
  const kept = (await records.ids('session')).map((id) => id.split('-').at(-1));
  expect(new Set(kept)).toEqual(new Set(['second', 'third']));
});

test('changes made at the same moment all stay', async () => {
  const sessions = new SessionRecords<Record<string, boolean>>(records, vault, clock);
  const session = { id: 'one', expiresAtMs: clock.nowMs() + HOUR_MS };
  const names = ['a', 'b', 'c', 'd'];
  await Promise.all(names.map((name) => sessions.change(session, (content) => ({ ...content, [name]: true }))));
  expect((await sessions.read(session))?.content).toEqual({ a: true, b: true, c: true, d: true });
});

test('of an ended session nothing is kept any more', async () => {
  const sessions = new SessionRecords<Record<string, boolean>>(records, vault, clock);
  const session = { id: 'one', expiresAtMs: clock.nowMs() + HOUR_MS };
  await sessions.change(session, () => ({ a: true }));
  await sessions.end(session);
  expect(await sessions.change(session, () => ({ b: true }))).toEqual({ ended: true, content: undefined });
  expect(await sessions.read(session)).toEqual({ ended: true, content: undefined });
});

test('content opens after the vault keys were rotated', async () => {
  const [first, next] = [generateVaultKey('first'), generateVaultKey('next')];
  vault.use(await openKeyring([first]));
  const sessions = new SessionRecords<Record<string, boolean>>(records, vault, clock);
  const session = { id: 'one', expiresAtMs: clock.nowMs() + HOUR_MS };
  await sessions.change(session, () => ({ a: true }));
  vault.use(await openKeyring([next, first]));
  expect(await rotateVault({ records, vault, events })).toMatchObject({ resealed: 1, refused: [] });
  vault.use(await openKeyring([next]));
  expect((await sessions.read(session))?.content).toEqual({ a: true });
});

test('a session that is ended while the store is asked about it does not come back', async () => {
  const sessions = () => new LegacySessions({ vault, records, events, clock, lifetimeMs: HOUR_MS, maxCachedCount: 10 });
  const session = await sessions().open({ subject: 'ann', server: 'gw1', initialize: {}, upstreams: {} });
  const replica = sessions();
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const get = records.get.bind(records);
  records.get = async (kind, id) => {
    const found = await get(kind, id);
    asked.resolve();
    await answered.promise;
    return found as never;
  };
  const resuming = replica.resume(session.token, 'ann', 'gw1');
  await asked.promise;
  await replica.revoke(session);
  answered.resolve();
  await expect(resuming).rejects.toMatchObject({ code: 'session_not_found' });
});

test('what no caller ever ends goes as well, however much there is', async () => {
  const expiresAtMs = clock.nowMs() + HOUR_MS;
  const expired = Array.from({ length: 2_500 }, (_, index) => ({ id: `${Math.ceil(expiresAtMs / 1000)}-s${index}` }));
  const body = { expiresAtMs, ended: true };
  await records.write(expired.map(({ id }) => ({ kind: 'session', id, body })));
  const sessions = new SessionRecords<object>(records, vault, clock);
  clock.advance(HOUR_MS + 1000);
  for (const id of ['a', 'b', 'c']) await sessions.change({ id, expiresAtMs: clock.nowMs() + HOUR_MS }, () => ({}));
  const names = (await records.ids('session')).map((id) => id.split('-').at(-1));
  expect(new Set(names)).toEqual(new Set(['a', 'b', 'c']));
});
