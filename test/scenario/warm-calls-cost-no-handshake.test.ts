import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { GatewayError } from '../../src/base/errors.ts';
import { ChannelCache } from '../../src/tls/channel-cache.ts';
import type { Channel } from '../../src/tls/dialer.ts';
import type { TlsProfile } from '../../src/tls/profile.ts';
import { identityOf, profileOf } from '../support/open-test-profile.ts';
import { mintPki } from '../support/pki.ts';
import { lehmer } from '../support/random.ts';
import { recordEvents } from '../support/recorded-events.ts';
import { startUpstream, type TestUpstream } from '../support/tls-upstream.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).toReversed()) await undo();
});

async function setUp(maxIdle: number) {
  const events = recordEvents();
  const dialer = createDialer(NODE, { events: events.sink, clock: systemClock, contextCache: { maxIdle } });
  const channels = new ChannelCache({ dialer, clock: systemClock, events: events.sink, maxIdle });
  const ca = await (await mintPki()).ca('root');
  const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
  const tls = { cert, key, ca: ca.pem, requestCert: true, rejectUnauthorized: true };
  const upstream = await startUpstream({ tls });
  cleanUp.push(
    () => upstream.close(),
    () => dialer.close(),
    () => channels.close(),
  );
  const profile = async (name: string) =>
    profileOf({ caCertificate: ca.pem, ...identityOf(await ca.issue({ cn: name, eku: 'client' })) });
  return { events, dialer, channels, upstream, profile };
}

async function call(channel: Channel, path = '/'): Promise<void> {
  const response = await channel.send({ method: 'POST', path, headers: {}, body: '{}' });
  await response.text(100);
}

test('2,000 calls through one channel: one context, and no more handshakes than connections', async () => {
  const { events, channels, upstream, profile } = await setUp(10);
  const one = await profile('caller');
  const workers = Array.from({ length: 16 }, async () => {
    for (let count = 0; count < 125; count++) {
      const lease = await channels.lease(one, upstream.origin(), '');
      await call(lease.value);
      lease.release();
    }
  });
  await Promise.all(workers);
  expect(upstream.requests).toHaveLength(2_000);
  expect(events.count('context.built')).toBe(1);
  expect(events.count('connection.opened')).toBe(upstream.connections);
  expect(events.count('handshake.finished')).toBeLessThanOrEqual(upstream.connections);
  expect(upstream.connections).toBeLessThanOrEqual(32);
  const outcomes = events.of('cache.used').map(({ cache, outcome }) => `${cache} ${outcome}`);
  expect(new Set(outcomes)).toEqual(new Set(['channel miss', 'context miss', 'channel hit']));
}, 30_000);

test('150 upstreams in use and a cache of 100: each is built once, and one-off checks evict none', async () => {
  const { events, dialer, channels, upstream, profile } = await setUp(100);
  const origin = upstream.origin();
  const profiles = await Promise.all(Array.from({ length: 150 }, (_, index) => profile(`upstream ${index}`)));
  const leases = await Promise.all(profiles.map((it) => channels.lease(it, origin, '')));
  const random = lehmer(7);
  for (let index = 0; index < 300; index++) await call(pick(leases, Math.floor(random() * 150)).value);
  for (let index = 0; index < 300; index++) await call(pick(leases, index % 150).value);
  expect(events.count('context.built')).toBe(150);

  const signal = new AbortController().signal;
  const checked = await Promise.all(Array.from({ length: 120 }, (_, index) => pinned(index)));
  for (const it of checked) (await channels.lease(it, origin, '')).release();
  await Promise.all(checked.slice(0, 3).map((it) => dialer.examine(it, origin, signal)));
  const builtBefore = events.count('context.built');
  for (const it of profiles) await call((await channels.lease(it, origin, '')).value, '/again');
  expect(events.count('context.built')).toBe(builtBefore);
  expect(leases.every(({ value }) => !value.closed)).toBe(true);
  expect(channels.stats).toEqual({ channels: 250, idle: 100 });
  expect(seenBy(upstream, '/again')).toEqual(profiles.map((_, index) => `upstream ${index}`));
}, 30_000);

test('a replaced profile: the old channel finishes what it has while the new one serves', async () => {
  const { channels, upstream, profile } = await setUp(10);
  const [before, after] = [await profile('before'), await profile('after')];
  const old = await channels.lease(before, upstream.origin(), '');
  const unfinished = await old.value.send({ method: 'GET', path: '/old', headers: {} });
  const drained = old.value.drain(10_000);
  const fresh = await channels.lease(after, upstream.origin(), '');
  await call(fresh.value, '/new');
  await expect(call(old.value)).rejects.toMatchObject({ code: 'channel_closed' });
  expect(await unfinished.text(10)).toBe('ok');
  expect(await drained).toBe(0);
  expect([seenBy(upstream, '/old'), seenBy(upstream, '/new')]).toEqual([['before'], ['after']]);
  fresh.value.destroy(new GatewayError('channel_closed', 'the test is over'));
});

/** A profile unlike all others that costs no key to make. */
function pinned(index: number): Promise<TlsProfile> {
  return profileOf({ pins: [Buffer.alloc(32, index).toString('base64')] });
}

function seenBy({ requests }: TestUpstream, path: string): (string | undefined)[] {
  return requests.filter((request) => request.path === path).map(({ client }) => client);
}

function pick<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}
