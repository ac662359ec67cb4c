import { expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node/storage/memory.ts';
import { LegacySessions } from '../../../src/session/legacy-sessions.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { openKeyring } from '../../../src/vault/keyring.ts';
import { generateVaultKey } from '../../../src/vault/vault-keys.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const HOUR_MS = 3_600_000;

/** Two replicas with the same keys and the same store. */
async function replicas(maxCachedCount = 10) {
  const keyring = await openKeyring([generateVaultKey()]);
  const storage = openMemory();
  const clock = new ManualClock();
  let opened = 0;
  const replica = () => {
    const vault = new Vault(keyring);
    const openToken = vault.openToken.bind(vault);
    vault.openToken = (token, purpose) => {
      opened++;
      return openToken(token, purpose);
    };
    const records = new RecordStore({ storage, sealer: vault, events: () => undefined });
    return new LegacySessions({ vault, records, clock, lifetimeMs: HOUR_MS, maxCachedCount });
  };
  return { a: replica(), b: replica(), clock, openedCount: () => opened };
}

/** Refusals come as rejections, whether the session was known or not. */
const resumed = async (replica: LegacySessions, ...named: Parameters<LegacySessions['resume']>) =>
  replica.resume(...named);

const facts = {
  subject: 'ann',
  server: 'gw1',
  initialize: { capabilities: { sampling: {} } },
  upstreams: { up1: { id: 'S', protocolVersion: '2025-11-25' } },
};

test('any replica resumes a session from its id alone', async () => {
  const { a, b } = await replicas();
  const { token } = await a.open(facts);
  const session = await b.resume(token, 'ann', 'gw1');
  expect(session.upstream('up1')).toEqual({ id: 'S', protocolVersion: '2025-11-25' });
  expect(session.upstream('up2')).toBeUndefined();
  expect(session.state.initialize).toEqual(facts.initialize);
});

test('a warm session is opened once', async () => {
  const { a, b, openedCount } = await replicas();
  const { token } = await a.open(facts);
  for (let call = 0; call < 50; call++) await b.resume(token, 'ann', 'gw1');
  expect(openedCount()).toBe(1);
});

test('it serves its own subject at its own address only, and its id tells nothing', async () => {
  const { a, b } = await replicas();
  const { token } = await a.open(facts);
  for (const replica of [a, b]) {
    await expect(resumed(replica, token, 'bob', 'gw1')).rejects.toMatchObject({ code: 'session_not_found' });
    await expect(resumed(replica, token, 'ann', 'gw2')).rejects.toMatchObject({ code: 'session_not_found' });
  }
  await expect(resumed(a, 'rubbish', 'ann', 'gw1')).rejects.toMatchObject({ code: 'session_not_found' });
  expect(atob(token.split('.')[0]?.replaceAll('-', '+').replaceAll('_', '/') ?? '')).not.toContain('ann');
});

test('it ends when its time is over', async () => {
  const { a, clock } = await replicas();
  const { token } = await a.open(facts);
  clock.advance(HOUR_MS - 1);
  await a.resume(token, 'ann', 'gw1');
  clock.advance(1);
  await expect(resumed(a, token, 'ann', 'gw1')).rejects.toMatchObject({ code: 'session_not_found' });
});

test('an ended session is not resumed again, here or by a replica that had not seen it', async () => {
  const { a, b } = await replicas();
  const session = await a.open(facts);
  await a.revoke(session);
  for (const replica of [a, b])
    await expect(resumed(replica, session.token, 'ann', 'gw1')).rejects.toMatchObject({ code: 'session_not_found' });
});

test('a session whose id no header could carry is not opened', async () => {
  const { a } = await replicas();
  const large = { ...facts, initialize: { capabilities: { experimental: { blob: 'x'.repeat(12_000) } } } };
  await expect(a.open(large)).rejects.toMatchObject({ code: 'request_too_large' });
  const upstreams = Object.fromEntries(
    Array.from({ length: 64 }, (_, index) => [
      `upstream-${index}`.padEnd(22),
      { id: crypto.randomUUID(), protocolVersion: '2025-11-25' },
    ]),
  );
  expect((await a.open({ ...facts, upstreams })).token.length).toBeLessThan(14 * 1024);
});

test('the cache is bounded and forgets the session that was not used for longest', async () => {
  const { a, b, openedCount } = await replicas(2);
  const tokens: string[] = [];
  for (let index = 0; index < 3; index++) tokens.push((await a.open(facts)).token);
  const [first = '', second = '', third = ''] = tokens;
  for (const token of [first, second, first, third, first]) await b.resume(token, 'ann', 'gw1');
  expect(openedCount()).toBe(3);
  await b.resume(second, 'ann', 'gw1');
  expect(openedCount()).toBe(4);
});
