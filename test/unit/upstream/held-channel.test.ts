import { expect, test } from 'vitest';
import type { Channel, Dialer } from '../../../src/tls/dialer.ts';
import { ChannelCache } from '../../../src/tls/channel-cache.ts';
import type { TlsProfile } from '../../../src/tls/profile.ts';
import { HeldChannel } from '../../../src/upstream/held-channel.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { identityOf, testCapabilities, profileOf } from '../../support/open-test-profile.ts';
import { mintPki } from '../../support/pki.ts';

test('a channel that was being opened when trust changed is not used', async () => {
  const pki = await mintPki();
  const [before, after] = await Promise.all(
    ['old', 'new'].map(async (name) => profileOf({ caCertificate: (await pki.ca(name)).pem })),
  );
  if (!before || !after) throw new TypeError('no profiles');
  const drained: string[] = [];
  const opening = Promise.withResolvers<void>();
  const channelOf = (profile: TlsProfile): Channel => ({
    origin: 'https://one.test',
    fingerprint: profile.fingerprint,
    active: 0,
    closed: false,
    send: () => Promise.reject(new Error('not in this test')),
    warm: () => Promise.resolve(),
    peers: () => [],
    cut: () => ({ connections: 0, requests: 0 }),
    end: () => 0,
    drain: async () => drained.push(profile.fingerprint),
    destroy: () => ({ connections: 0, requests: 0 }),
  });
  const dialer: Dialer = {
    name: 'fake',
    capabilities: testCapabilities,
    async open(profile = before) {
      if (profile === before) await opening.promise;
      return channelOf(profile);
    },
    examine: () => Promise.reject(new Error('not in this test')),
    close: async () => {},
  };
  const channels = new ChannelCache({ dialer, clock: new ManualClock(), events: () => {}, maxIdle: 0 });
  const held = new HeldChannel(channels, before, 'https://one.test', 'owner');
  const got = held.get();
  expect(await held.withdraw(after, 0)).toEqual([]);
  opening.resolve();
  expect((await got).fingerprint).toBe(after.fingerprint);
  expect(drained).toEqual([before.fingerprint]);
});

test('where peers cannot be seen, whatever runs is cut once somebody else is to be believed', async () => {
  const pki = await mintPki();
  const [before, after] = await Promise.all(
    ['old', 'new'].map(async (name) => profileOf({ caCertificate: (await pki.ca(name)).pem })),
  );
  if (!before || !after) throw new TypeError('no profiles');
  const client = await (await pki.ca('clients')).issue({ cn: 'client', eku: 'client' });
  const presenting = await profileOf({ ...identityOf(client) });
  const bare = await profileOf({});
  const destroyed: string[] = [];
  const dialer: Dialer = {
    name: 'fake',
    capabilities: { ...testCapabilities, peerCertificate: false },
    open: async (profile) => ({
      origin: 'https://one.test',
      fingerprint: profile?.fingerprint,
      active: 1,
      closed: false,
      send: () => Promise.reject(new Error('not in this test')),
      warm: () => Promise.resolve(),
      peers: () => [],
      cut: () => ({ connections: 0, requests: 0 }),
      end: () => 0,
      drain: () => new Promise(() => {}),
      destroy: ({ code }) => {
        destroyed.push(code);
        return { connections: 1, requests: 1 };
      },
    }),
    examine: () => Promise.reject(new Error('not in this test')),
    close: async () => {},
  };
  const withdrawn = async (from: TlsProfile, to: TlsProfile) => {
    const channels = new ChannelCache({ dialer, clock: new ManualClock(), events: () => {}, maxIdle: 0 });
    const held = new HeldChannel(channels, from, 'https://one.test', 'owner');
    await held.get();
    return held.withdraw(to, 0);
  };
  expect(await withdrawn(before, after)).toEqual([{ why: 'trust', connections: 1, requests: 1 }]);
  // whom we are is no reason to doubt who they are
  expect(await withdrawn(bare, presenting)).toEqual([]);
  expect(destroyed).toEqual(['identity_withdrawn']);
});
