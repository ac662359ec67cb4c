/** Whoever holds under other anchors would be let in by a handshake under them, and, where it is known what was sent, nobody else is cut. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import { createDialer } from '../../../adapters/node-compat/dialer/dialer.ts';
import { RUNTIME } from '#runtime';
import { GatewayError } from '../../../src/base/errors.ts';
import type { PeerChain } from '../../../src/tls/dialer.ts';
import type { TlsProfile } from '../../../src/tls/profile.ts';
import { withdrawalJudge } from '../../../src/tls/withdrawal.ts';
import { crossSign } from '../../support/cross-sign.ts';
import { profileOf } from '../../support/open-test-profile.ts';
import { mintPki, type MintedCertificate } from '../../support/pki.ts';
import { lehmer } from '../../support/random.ts';
import { startUpstream, type TestUpstream } from '../../support/tls-upstream.ts';

const PAIRS = 60;
const dialer = createDialer(RUNTIME, { events: () => {}, clock: systemClock, contextCache: { maxIdle: 0 } });
const upstreams: { readonly what: string; readonly upstream: TestUpstream }[] = [];
let profiles: readonly TlsProfile[];

beforeAll(async () => {
  const pki = await mintPki();
  const [root, other] = [await pki.ca('Root'), await pki.ca('Other')];
  const between = await root.intermediate('Between');
  // the same name and key again, as a root that was renewed; and the name alone, as an impostor
  const anchors = [
    root.pem,
    other.pem,
    between.pem,
    await crossSign(root, root),
    (await pki.ca('Root')).pem,
    await crossSign(other, root),
  ];
  profiles = await Promise.all(
    Array.from({ length: 2 ** anchors.length - 1 }, (_, subset) =>
      profileOf({ caCertificate: anchors.filter((_pem, index) => ((subset + 1) >> index) & 1).join('') }),
    ),
  );
  const names = { cn: 'server', dns: ['localhost'] };
  const serve = async (what: string, { chainPem: cert, keyPem: key }: MintedCertificate, more = '') =>
    upstreams.push({ what, upstream: await startUpstream({ tls: { cert: cert + more, key } }) });
  await serve('a leaf of the root', await root.issue(names));
  await serve('a leaf below an intermediate', await between.issue(names));
  const lonely = await between.issue(names);
  await serve('a leaf without its intermediate', { ...lonely, chainPem: lonely.certPem });
  await serve('a leaf below a cross-signed root', await between.issue(names), await crossSign(other, root));
});
afterAll(async () => {
  for (const { upstream } of upstreams) await upstream.close();
  await dialer.close();
});

/** What a server showed in a handshake under a profile; undefined where it was refused. */
async function chainUnder(profile: TlsProfile, upstream: TestUpstream): Promise<PeerChain | undefined> {
  const channel = await dialer.open(profile, upstream.origin());
  try {
    const response = await channel.send({ method: 'GET', path: '/', headers: {} });
    await response.text(10);
    return channel.peers()[0];
  } catch (error) {
    expect(error).toMatchObject({ facts: { stage: 'tls' } });
    return undefined;
  } finally {
    channel.destroy(new GatewayError('channel_closed', 'the test is over'));
  }
}

test('any two sets of anchors', async () => {
  const random = lehmer(7);
  const any = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const seen = new Set<string>();
  for (let pairs = 0; pairs < PAIRS;) {
    const { what, upstream } = any(upstreams);
    const [before, after] = [any(profiles), any(profiles)];
    const chain = await chainUnder(before, upstream);
    if (chain === undefined) continue;
    const accepted = (await chainUnder(after, upstream)) !== undefined;
    const judge = await withdrawalJudge(before, after, Date.now());
    const withdrawal = await judge(chain);
    const names = ({ trust }: TlsProfile) =>
      trust.mode === 'system' ? [] : trust.anchors.map(({ facts }) => `${facts.subject} by ${facts.issuer}`);
    const inDoubt = RUNTIME.tls.completesChains ? withdrawal : undefined;
    expect(withdrawal, `${what}: ${names(before).join()} -> ${names(after).join()}`).toBe(accepted ? inDoubt : 'trust');
    seen.add(`${what} ${accepted}`);
    pairs++;
  }
  expect(seen.size).toBeGreaterThan(upstreams.length);
});
