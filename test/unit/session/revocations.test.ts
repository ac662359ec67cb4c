import { beforeEach, expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node/storage/memory.ts';
import { LegacySessions } from '../../../src/session/legacy-sessions.ts';
import { Revocations } from '../../../src/session/revocations.ts';
import { RecordStore } from '../../../src/store/records.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintVault } from '../../support/vault.ts';

const HOUR_MS = 3_600_000;

let vault: Vault;
let records: RecordStore;
let clock: ManualClock;
beforeEach(async () => {
  vault = await mintVault();
  records = new RecordStore({ storage: openMemory(), sealer: vault, events: () => undefined });
  clock = new ManualClock();
});

test('a mark is kept as long as its session would have lived, and goes with a later one', async () => {
  const revocations = new Revocations(records, clock);
  const first = { id: 'first', expiresAtMs: clock.nowMs() + HOUR_MS };
  await revocations.add(first);
  clock.advance(HOUR_MS - 1);
  await revocations.add({ id: 'second', expiresAtMs: clock.nowMs() + 10 * HOUR_MS });
  expect(await revocations.has(first)).toBe(true);
  clock.advance(HOUR_MS);
  await revocations.add({ id: 'third', expiresAtMs: clock.nowMs() + HOUR_MS });
  expect(await revocations.has(first)).toBe(false);
  const kept = (await records.ids('revocation')).map((id) => id.split('-').at(-1));
  expect(new Set(kept)).toEqual(new Set(['second', 'third']));
});

test('a session that is ended while the store is asked about it does not come back', async () => {
  const sessions = () => new LegacySessions({ vault, records, clock, lifetimeMs: HOUR_MS, maxCachedCount: 10 });
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
