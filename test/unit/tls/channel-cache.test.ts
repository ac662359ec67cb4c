import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { ChannelCache } from '../../../src/tls/channel-cache.ts';
import type { Channel, CutCount, Dialer } from '../../../src/tls/dialer.ts';
import type { ProfileFingerprint, TlsProfile } from '../../../src/tls/profile.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { testCapabilities } from '../../support/open-test-profile.ts';
import { recordEvents } from '../../support/recorded-events.ts';

class FakeChannel implements Channel {
  readonly origin: string;
  readonly fingerprint: ProfileFingerprint | undefined;
  active = 0;
  closed = false;
  readonly drains: number[] = [];

  constructor(origin: string, fingerprint: ProfileFingerprint | undefined) {
    this.origin = origin;
    this.fingerprint = fingerprint;
  }

  send(): never {
    throw new Error('not in this test');
  }

  async drain(deadlineMs: number): Promise<number> {
    this.closed = true;
    this.drains.push(deadlineMs);
    return 0;
  }

  warm = () => Promise.resolve();
  peers = () => [];
  cut = () => ({ connections: 0, requests: 0 });
  end = () => 0;

  destroy(): CutCount {
    this.closed = true;
    return { connections: 0, requests: 0 };
  }
}

function setUp(options: { maxIdle: number; ttlMs?: number }) {
  const opened: FakeChannel[] = [];
  const events = recordEvents();
  const clock = new ManualClock();
  const dialer: Dialer = {
    name: 'fake',
    capabilities: testCapabilities,
    open: async (profile, origin) => {
      const channel = new FakeChannel(origin, profile?.fingerprint);
      opened.push(channel);
      return channel;
    },
    examine: () => Promise.reject(new Error('not in this test')),
    close: async () => {},
  };
  return { opened, events, clock, cache: new ChannelCache({ dialer, clock, events: events.sink, ...options }) };
}

const profile = (fingerprint: string) => ({ fingerprint }) as TlsProfile;

test('one channel per fingerprint and origin', async () => {
  const { cache, opened, events } = setUp({ maxIdle: 10 });
  const leases = await Promise.all([
    cache.lease(profile('a'), 'https://one.test', 'owner'),
    cache.lease(profile('a'), 'https://one.test', 'owner'),
    cache.lease(profile('b'), 'https://one.test', 'owner'),
    cache.lease(profile('a'), 'https://two.test', 'owner'),
    cache.lease(undefined, 'http://one.test', 'owner'),
  ]);
  expect(new Set(leases.map(({ value }) => value)).size).toBe(4);
  expect(leases[0]?.value).toBe(leases[1]?.value);
  expect(opened.map(({ fingerprint, origin }) => `${fingerprint} ${origin}`)).toEqual([
    'a https://one.test',
    'b https://one.test',
    'a https://two.test',
    'undefined http://one.test',
  ]);
  expect(events.of('cache.used').map(({ cache: which, outcome }) => `${which} ${outcome}`)).toEqual(
    ['miss', 'hit', 'miss', 'miss', 'miss'].map((outcome) => `channel ${outcome}`),
  );
  expect(cache.stats).toEqual({ channels: 4, idle: 0 });
});

test('what one owner cuts is no other owner’s', async () => {
  const { cache, opened } = setUp({ maxIdle: 10 });
  const [one, other] = await Promise.all(
    ['one', 'other'].map((owner) => cache.lease(profile('a'), 'https://one.test', owner)),
  );
  one?.value.destroy(new GatewayError('connection_cut', 'cut'));
  expect(other?.value.closed).toBe(false);
  expect(opened).toHaveLength(2);
});

test('an evicted channel drains without a deadline', async () => {
  const { cache, opened } = setUp({ maxIdle: 1 });
  for (const name of ['a', 'b']) (await cache.lease(profile(name), 'https://one.test', 'owner')).release();
  await Promise.resolve();
  expect(opened.map(({ drains }) => drains)).toEqual([[Number.POSITIVE_INFINITY], []]);
});

test('a channel somebody destroyed is replaced for the next who asks', async () => {
  const { cache, opened } = setUp({ maxIdle: 10 });
  const withdrawn = await cache.lease(profile('a'), 'https://one.test', 'owner');
  withdrawn.value.destroy(new GatewayError('channel_closed', 'withdrawn'));
  const next = await cache.lease(profile('a'), 'https://one.test', 'owner');
  expect([opened.length, next.value.closed]).toEqual([2, false]);
  withdrawn.release();
});

test('of many who find it destroyed one opens the next channel', async () => {
  const { cache, opened } = setUp({ maxIdle: 10 });
  const withdrawn = await cache.lease(profile('a'), 'https://one.test', 'owner');
  withdrawn.value.destroy(new GatewayError('channel_closed', 'withdrawn'));
  await Promise.all(Array.from({ length: 5 }, () => cache.lease(profile('a'), 'https://one.test', 'owner')));
  expect(opened).toHaveLength(2);
});

test('close refuses new leases and cuts what is left after the time it is given', async () => {
  const { cache, opened } = setUp({ maxIdle: 10 });
  await cache.lease(profile('leased'), 'https://one.test', 'owner');
  (await cache.lease(profile('idle'), 'https://one.test', 'owner')).release();
  await cache.close(5_000);
  for (const { drains } of opened) expect(drains).toContain(5_000);
  await expect(cache.lease(profile('leased'), 'https://one.test', 'owner')).rejects.toMatchObject({
    code: 'shutting_down',
  });
});
