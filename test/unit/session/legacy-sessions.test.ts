import { expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { LegacySessions } from '../../../src/session/legacy-sessions.ts';
import type { StorageDriver } from '../../../src/store/driver.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { openKeyring } from '../../../src/vault/keyring.ts';
import { generateVaultKey } from '../../../src/vault/vault-keys.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { withoutPush } from '../../support/steered-storage.ts';

const HOUR_MS = 3_600_000;

/** Two replicas with the same keys and the same store. */
async function replicas({ maxCachedCount = 10, storage = openMemory() } = {}) {
  const keyring = await openKeyring([generateVaultKey()]);
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
    return new LegacySessions({ vault, records, events: () => undefined, clock, lifetimeMs: HOUR_MS, maxCachedCount });
  };
  const stored = async () => {
    const keys = await storage.driver.getKeys('session', {});
    return JSON.stringify(await Promise.all(keys.map(async (key) => storage.driver.getItem(key))));
  };
  return { a: replica(), b: replica(), clock, openedCount: () => opened, stored };
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

const manyUpstreams = Object.fromEntries(
  Array.from({ length: 17 }, (_, index) => [`upstream-${index}`, { id: `S${index}`, protocolVersion: '2025-11-25' }]),
);

test.each([
  ['many upstreams', { ...facts, upstreams: manyUpstreams }],
  [
    'much said in initialize',
    { ...facts, initialize: { capabilities: { experimental: { blob: 'x'.repeat(12_000) } } } },
  ],
])('a session with %s has a short id, and any replica finds the rest in the store', async (_, large) => {
  const { a, b } = await replicas();
  const { token } = await a.open(large);
  expect(token.length).toBeLessThan(400);
  for (const replica of [a, b]) {
    const session = await replica.resume(token, 'ann', 'gw1');
    expect(session.state.initialize).toEqual(large.initialize);
    for (const [id, upstream] of Object.entries(large.upstreams)) expect(session.upstream(id)).toEqual(upstream);
  }
});

test('an initialize larger than any client sends opens no session', async () => {
  const { a } = await replicas();
  const large = { ...facts, initialize: { capabilities: { experimental: { blob: 'x'.repeat(300_000) } } } };
  await expect(a.open(large)).rejects.toMatchObject({ code: 'request_too_large' });
});

const second = { id: 'S2', protocolVersion: '2025-11-25' };

test('an upstream session that was lost is opened again once, whichever replicas notice', async () => {
  const { a, b } = await replicas();
  const { token } = await a.open(facts);
  const [onA, onB] = [await a.resume(token, 'ann', 'gw1'), await b.resume(token, 'ann', 'gw1')];
  await a.renew(onA, 'up1', facts.upstreams.up1, async () => second);
  expect(onA.upstream('up1')).toEqual(second);
  await b.renew(onB, 'up1', facts.upstreams.up1, () => Promise.reject(new Error('opened twice')));
  expect(onB.upstream('up1')).toEqual(second);
});

test('of two replicas that renew at the same moment both use the session that was stored first', async () => {
  const { a, b } = await replicas();
  const { token } = await a.open(facts);
  const [onA, onB] = [await a.resume(token, 'ann', 'gw1'), await b.resume(token, 'ann', 'gw1')];
  await a.renew(onA, 'up1', facts.upstreams.up1, async () => {
    await b.renew(onB, 'up1', facts.upstreams.up1, async () => second);
    return { ...second, id: 'S3' };
  });
  expect(onA.upstream('up1')).toEqual(second);
  expect(onB.upstream('up1')).toEqual(second);
});

test('of a session that was ended elsewhere nothing is opened again', async () => {
  const { a, b } = await replicas();
  const { token } = await a.open(facts);
  const [onA, onB] = [await a.resume(token, 'ann', 'gw1'), await b.resume(token, 'ann', 'gw1')];
  await a.revoke(onA);
  const renewing = b.renew(onB, 'up1', facts.upstreams.up1, () => Promise.reject(new Error('opened again')));
  await expect(renewing).rejects.toMatchObject({ code: 'session_not_found' });
});

test('what changed of a session is found by a replica that resumes it later', async () => {
  const { a, b } = await replicas();
  const session = await a.open(facts);
  await a.amend(session, (content) => ({ ...content, logLevel: 'warning' }));
  await a.amend(session, (content) => ({ ...content, subscriptions: { up1: ['x://1'] } }));
  const { content } = await b.resume(session.token, 'ann', 'gw1');
  expect(content).toEqual({ logLevel: 'warning', subscriptions: { up1: ['x://1'] } });
});

test('a replica that is told of changes knows at once that a session was ended, or changed', async () => {
  const { a, b } = await replicas();
  const [ended, changed] = [await a.open(facts), await a.open(facts)];
  const here = await b.resume(changed.token, 'ann', 'gw1');
  await b.resume(ended.token, 'ann', 'gw1');
  await a.revoke(ended);
  await a.amend(changed, (content) => ({ ...content, logLevel: 'warning' }));
  while (here.content.logLevel !== 'warning') await new Promise(setImmediate);
  await expect(resumed(b, ended.token, 'ann', 'gw1')).rejects.toMatchObject({ code: 'session_not_found' });
});

test('what was read of a session before it changed again does not undo the change', async () => {
  const memory = openMemory();
  const slow = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  let isFirst = true;
  const getItem: StorageDriver['driver']['getItem'] = async (...asked) => {
    const value = await memory.driver.getItem(...asked);
    if (isFirst && value !== null) {
      isFirst = false;
      reading.resolve();
      await slow.promise;
    }
    return value;
  };
  const { a } = await replicas({ storage: { ...memory, driver: { ...memory.driver, getItem } } });
  const session = await a.open(facts);
  await a.amend(session, (content) => ({ ...content, logLevel: 'debug' }));
  await reading.promise;
  await a.amend(session, (content) => ({ ...content, logLevel: 'warning' }));
  await new Promise(setImmediate);
  slow.resolve();
  for (let tick = 0; tick < 20; tick++) {
    expect(session.content.logLevel).toBe('warning');
    await new Promise(setImmediate);
  }
});

test('a replica that has a session in memory notices within seconds that it was ended', async () => {
  const { a, b, clock } = await replicas({ storage: withoutPush(openMemory()) });
  const session = await a.open(facts);
  await b.resume(session.token, 'ann', 'gw1');
  await a.revoke(session);
  clock.advance(4_999);
  await b.resume(session.token, 'ann', 'gw1');
  clock.advance(1);
  // the store is asked beside the call
  const isServed = () =>
    resumed(b, session.token, 'ann', 'gw1').then(
      () => true,
      () => false,
    );
  while (await isServed()) await new Promise(setImmediate);
});

test('what stands in the store is sealed', async () => {
  const { a, stored } = await replicas();
  await a.open({ ...facts, upstreams: manyUpstreams });
  expect(await stored()).not.toMatch(/S16|sampling/);
});

test('the cache is bounded and forgets the session that was not used for longest', async () => {
  const { a, b, openedCount } = await replicas({ maxCachedCount: 2 });
  const tokens: string[] = [];
  for (let index = 0; index < 3; index++) tokens.push((await a.open(facts)).token);
  const [first = '', second = '', third = ''] = tokens;
  for (const token of [first, second, first, third, first]) await b.resume(token, 'ann', 'gw1');
  expect(openedCount()).toBe(3);
  await b.resume(second, 'ann', 'gw1');
  expect(openedCount()).toBe(4);
});
