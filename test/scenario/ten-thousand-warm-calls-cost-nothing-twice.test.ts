/**
 * What a call through a warm gateway must not do, counted where it would be done: at the TLS library, the hash and
 * key functions of the runtime, and the store.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import type { Platform } from '../../src/platform.ts';
import { grantUpkeep } from '../../src/policy/grant.ts';
import { bare, inParallel, modern, openCallers } from '../support/callers.ts';
import type { Callers, CallRoute } from '../support/callers.ts';
import { watchCostlyWork } from '../support/costly-work.ts';
import type { CostlyWork } from '../support/costly-work.ts';
import { countStorageUse } from '../support/counted-storage.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';
import { startPlainMcpServer } from '../support/plain-mcp-server.ts';
import type { PlainMcpServer } from '../support/plain-mcp-server.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const CONCURRENCY = 32;
let ca: MintedCa;
let server: MintedCertificate;
let client: MintedCertificate;
let work: CostlyWork;
const closing = closeAfterEach();

beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  client = await ca.issue({ cn: 'postern-client', eku: 'client' });
  work = watchCostlyWork();
});
afterAll(() => work.stop());

const strict = () => ({
  cert: server.chainPem,
  key: server.keyPem,
  ca: ca.pem,
  requestCert: true,
  rejectUnauthorized: true,
});

/** A gateway that found its registration in the store. */
async function startOver(upstream: PlainMcpServer, fields: object) {
  const folder = await makeTempFolder();
  const keys = makeKeys();
  const settings = { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db` };
  const first = await startGateway({ settings, keys });
  await first.register({ name: 'up', url: upstream.url, ...fields });
  await first.close();
  const before = { connections: upstream.connections, handshakes: upstream.handshakes };
  work.reset();
  const storage = countStorageUse();
  // what is done by the clock, for the fleet and for health, is none of a call's
  const clock = new ManualClock(Date.now());
  const wrapPlatform = (platform: Platform): Platform => storage.wrap({ ...platform, clock });
  const gateway = await startGateway({ settings, keys, wrapPlatform });
  const callers = openCallers(gateway.url, await gateway.token('ann'), CONCURRENCY);
  closing.push(
    () => upstream.close(),
    () => folder.remove(),
    () => gateway.close(),
    () => callers.close(),
  );
  const since = () => ({
    connections: upstream.connections - before.connections,
    handshakes: upstream.handshakes - before.handshakes,
  });
  return { gateway, callers, storage, since };
}

/** Every way a call takes: in a session or bare or modern, through all servers or one. */
async function routesOf(callers: Callers): Promise<CallRoute[]> {
  return [
    await callers.session('/mcp', 'up_echo'),
    await callers.session('/servers/up/mcp', 'echo'),
    bare('/mcp', 'up_echo'),
    bare('/servers/up/mcp', 'echo'),
    modern('/mcp', 'up_echo'),
    modern('/servers/up/mcp', 'echo'),
  ];
}

async function callAll(callers: Callers, routes: readonly CallRoute[], total: number): Promise<void> {
  await inParallel(total, CONCURRENCY, async (index) => {
    const route = routes[index % routes.length];
    if (route) expect(await callers.call(route, `call ${index}`)).toBe(`call ${index}`);
  });
}

const outcomes = ({ events }: TestGateway, cache: 'context' | 'channel') =>
  events.flatMap(({ name, fields }) =>
    name === 'cache.used' && (fields as { cache: string }).cache === cache
      ? [(fields as { outcome: string }).outcome]
      : [],
  );

test('10,000 calls over mutual TLS: one context, no handshake beyond connections, no hash, key, decryption or read', async () => {
  const upstream = await startPlainMcpServer(strict());
  const { gateway, callers, storage, since } = await startOver(upstream, {
    ca_certificate: ca.pem,
    client_cert: client.chainPem,
    client_key: client.keyPem,
  });
  // a start has to open records and a key, name a profile and read the store: the counters see it
  const once = ['subtle.decrypt', 'subtle.verify', 'createPrivateKey', 'sha256'];
  expect(Object.keys(work.counts())).toEqual(expect.arrayContaining(once));
  expect(storage.reads).toBeGreaterThan(0);

  const openedAtMs = performance.now();
  const routes = await routesOf(callers);
  const warmUp = CONCURRENCY * routes.length;
  await callAll(callers, routes, warmUp);
  expect(work.counts()).toHaveProperty('createSecureContext');
  work.reset();
  storage.reads = storage.commits = 0;
  await callAll(callers, routes, 10_000);

  expect(work.counts()).toEqual({});
  expect(storage.commits).toBe(0);
  // beside the calls a session is looked at every five seconds, should it have been ended at another instance
  expect(storage.reads).toBeLessThanOrEqual(routes.length * Math.floor((performance.now() - openedAtMs) / 5_000));
  expect(gateway.countOf('context.built')).toBe(1);
  expect([outcomes(gateway, 'context'), outcomes(gateway, 'channel')]).toEqual([['miss'], ['miss']]);
  const { connections, handshakes } = since();
  expect(connections).toBeLessThanOrEqual(CONCURRENCY + 2);
  expect(handshakes).toBeLessThanOrEqual(connections + 2);
  expect(gateway.countOf('connection.opened')).toBe(connections);
  expect(gateway.countOf('handshake.finished')).toBe(handshakes);
  expect([...upstream.calls]).toEqual([['postern-client', 10_000 + warmUp]]);
}, 60_000);

test('an http:// upstream costs no TLS at all: no profile, no context, no key', async () => {
  const upstream = await startPlainMcpServer();
  const { gateway, callers } = await startOver(upstream, {});
  expect(gateway.gateway.registry.snapshot().bySlug('up')?.upstream.config.profile).toBeUndefined();
  const routes = await routesOf(callers);
  await callAll(callers, routes, 2_000);
  for (const path of ['check', 'refresh'])
    expect((await gateway.api('POST', `/v1/gateways/up/${path}`)).status).toBe(200);
  await gateway.gateway.registry.snapshot().bySlug('up')?.upstream.probe(grantUpkeep('test'));

  const counts = work.counts();
  for (const name of ['createSecureContext', 'createPrivateKey', 'sha256', 'subtle.digest'])
    expect(counts, name).not.toHaveProperty(name);
  expect(gateway.countOf('context.built')).toBe(0);
  expect(gateway.countOf('handshake.finished')).toBe(0);
  expect(outcomes(gateway, 'context')).toEqual([]);
  expect(outcomes(gateway, 'channel')).toEqual(['miss']);
  expect([...upstream.calls]).toEqual([['', 2_000]]);
}, 30_000);
