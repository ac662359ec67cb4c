import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openKey } from '../../../adapters/node-compat/open-key.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { grantUpkeep } from '../../../src/policy/grant.ts';
import { Exclusive } from '../../../src/registry/exclusive.ts';
import { openProfiles } from '../../../src/registry/gateway-profiles.ts';
import type { GatewayProfiles } from '../../../src/registry/gateway-profiles.ts';
import type { ReadableGateway } from '../../../src/registry/snapshot.ts';
import { StandIn } from '../../../src/registry/stand-in.ts';
import type { UpstreamConfig } from '../../../src/upstream/upstream-config.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { testCapabilities } from '../../support/open-test-profile.ts';
import { mintPki } from '../../support/pki.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import type { RecordedEvents } from '../../support/recorded-events.ts';

const GRANT = grantUpkeep('test');
const INTERVAL_MS = 60_000;

let profiles: GatewayProfiles;
beforeAll(async () => {
  const ca = await (await mintPki()).ca('CA');
  const identity = async (cn: string) => {
    const { chainPem, keyPem } = await ca.issue({ cn });
    return { clientCert: { pem: chainPem }, clientKey: new Secret(keyPem) };
  };
  const options = {
    openKey,
    capabilities: testCapabilities,
    allowInsecureTls: false,
    clock: new ManualClock(Date.now()),
    readList: () => Promise.reject(new Error('no lists here')),
    revocationFailure: 'closed' as const,
  };
  profiles = await openProfiles(
    { ...(await identity('current')), next: await identity('next'), retiring: await identity('retiring') },
    { ...options, readFile: () => Promise.reject(new Error('no files here')) },
  );
});

interface FakeUpstream {
  readonly config: UpstreamConfig;
  health: object;
  closed: boolean;
}

let clock: ManualClock;
let log: RecordedEvents;
let accepted: Set<string>;
let tried: string[];
let gateway: ReadableGateway;
let standIn: StandIn;

const nameOf = (config: UpstreamConfig) => config.profile?.identity?.chain[0]?.facts.subject.slice('CN='.length) ?? '';
const failing = (code: string) => ({ status: 'failing', reason: { code } });

/** What a server that accepts `accepted` makes of an upstream. */
function open(config: UpstreamConfig): FakeUpstream {
  const upstream = {
    config,
    health: { status: 'healthy' } as object,
    closed: false,
    async probe() {
      upstream.health = accepted.has(nameOf(config)) ? { status: 'healthy' } : failing('connection_lost');
      return upstream.health;
    },
    close: async () => void (upstream.closed = true),
  };
  return upstream;
}

beforeEach(() => {
  clock = new ManualClock();
  log = recordEvents();
  accepted = new Set(['current', 'next', 'retiring']);
  tried = [];
  const config = { id: 'id', slug: 'up', profile: profiles.main } as UpstreamConfig;
  gateway = { id: 'id', record: { slug: 'up' }, upstream: open(config), profiles } as unknown as ReadableGateway;
  // the part of LiveGateways that dials and swaps, without a server behind it
  const live = {
    get: () => gateway,
    open,
    connect: async (_grant: unknown, upstream: FakeUpstream) => {
      tried.push(nameOf(upstream.config));
      if (!accepted.has(nameOf(upstream.config))) throw new GatewayError('connection_lost', 'refused');
    },
    withDeadline: <T>(work: (signal: AbortSignal) => Promise<T>) => work(new AbortController().signal),
    swap: (_id: string, after: ReadableGateway) => void (gateway = after),
  };
  standIn = new StandIn(live as never, new Exclusive(), { clock, events: log.sink, healthIntervalMs: INTERVAL_MS });
});

const presented = () => gateway.upstream && nameOf(gateway.upstream.config);
const fail = (code: string) => Object.assign(gateway.upstream as object, { health: failing(code) });
const tend = () => standIn.tend(GRANT, 'id');

test('what is fit is left alone', async () => {
  await tend();
  expect([tried, presented()]).toEqual([[], 'current']);
});

test.each(['tcp_refused', 'tls_unknown_ca', 'upstream_timeout', 'upstream_protocol'])(
  'a failure that is no refusal of a certificate is left alone: %s',
  async (code) => {
    fail(code);
    await tend();
    expect([tried, presented()]).toEqual([[], 'current']);
    expect(standIn.mayHelp('id', code as 'tcp_refused')).toBe(false);
  },
);

test.each(['connection_lost', 'tls_client_certificate_expired', 'tls_client_certificate_refused'])(
  'the next identity that is accepted stands in after %s',
  async (code) => {
    accepted = new Set(['retiring']);
    fail(code);
    await tend();
    expect([tried, presented()]).toEqual([['next', 'retiring'], 'retiring']);
    expect(log.of('upstream.stands_in')).toEqual([{ gateway: 'up', presenting: 'retiring' }]);
  },
);

test('a server that accepts the current identity again by then is shown nothing else', async () => {
  fail('connection_lost');
  const { upstream } = gateway;
  await tend();
  expect([presented(), gateway.upstream]).toEqual(['current', upstream]);
  expect(log.count('upstream.stands_in')).toBe(0);
});

test('the current identity is tried again after ten visits, and serves once it is accepted', async () => {
  accepted = new Set(['next']);
  fail('connection_lost');
  await tend();
  expect(presented()).toBe('next');
  tried = [];
  for (let visit = 1; visit <= 20; visit++) {
    clock.advance(INTERVAL_MS);
    await tend();
  }
  expect([tried, presented()]).toEqual([['current', 'current'], 'next']);
  accepted.add('current');
  clock.advance(10 * INTERVAL_MS);
  await tend();
  expect(presented()).toBe('current');
  expect(log.of('upstream.stands_in').map(({ presenting }) => presenting)).toEqual(['next', 'current']);
});

test('a gateway that was changed meanwhile keeps its change', async () => {
  accepted = new Set(['next']);
  fail('connection_lost');
  const trying = tend();
  const changed = { ...gateway };
  gateway = changed;
  await trying;
  expect(gateway).toBe(changed);
});
