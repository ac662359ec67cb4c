/** 150 upstreams, a cache of 100, and time: traffic, bursts of one-off checks, servers that drop their connections. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventFields } from '../../src/base/events.ts';
import { bare, inParallel, openCallers } from '../support/callers.ts';
import type { Callers } from '../support/callers.ts';
import { footprint } from '../support/footprint.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa } from '../support/pki.ts';
import { startPlainMcpServer } from '../support/plain-mcp-server.ts';
import type { PlainMcpServer } from '../support/plain-mcp-server.ts';
import { lehmer } from '../support/random.ts';
import { scaled } from '../support/soak-scale.ts';

const UPSTREAMS = 150;
const CACHE = 100;
const ROUNDS = scaled(40, 3);
const CONCURRENCY = 16;
let ca: MintedCa;
let upstream: PlainMcpServer;
let gateway: TestGateway;
let callers: Callers;

beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  upstream = await startPlainMcpServer({ cert, key, ca: ca.pem, requestCert: true, rejectUnauthorized: true });
  gateway = await startGateway({ settings: { SSL_CONTEXT_CACHE_MAX_SIZE: String(CACHE) } });
  callers = openCallers(gateway.url, await gateway.token('ann'), CONCURRENCY);
});
afterAll(async () => {
  await callers.close();
  await gateway.close();
  await upstream.close();
});

test(`${ROUNDS} rounds over ${UPSTREAMS} upstreams build no context twice and hold what they held`, async () => {
  const fields = { url: upstream.url, transport: 'STREAMABLEHTTP', ca_certificate: ca.pem };
  await inParallel(UPSTREAMS, 8, async (number) => {
    const { chainPem, keyPem } = await ca.issue({ cn: `client-${number}`, eku: 'client' });
    await gateway.register({ name: `up ${number}`, ...fields, client_cert: chainPem, client_key: keyPem });
  });
  const builds = new Map<string, number>();
  const collect = (): void => {
    for (const { name, fields: seen } of gateway.events.splice(0))
      if (name === 'context.built') {
        const { fingerprint } = seen as EventFields['context.built'];
        builds.set(fingerprint, (builds.get(fingerprint) ?? 0) + 1);
      }
  };
  collect();
  const live = [...builds.keys()];
  expect(live).toHaveLength(UPSTREAMS);

  const random = lehmer(3);
  const sent = new Map<number, number>();
  const call = async (number: number) => {
    sent.set(number, (sent.get(number) ?? 0) + 1);
    expect(await callers.call(bare(`/servers/up-${number}/mcp`, 'echo'), `${number}`)).toBe(`${number}`);
  };
  const held: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await inParallel(300, CONCURRENCY, () => call(Math.floor(random() * UPSTREAMS)));
    await inParallel(300, CONCURRENCY, (index) => call(index % UPSTREAMS));
    // profiles nobody keeps, more of them in two rounds than the cache holds
    await inParallel(60, CONCURRENCY, async (index) => {
      const pins = [Buffer.from(`${round} ${index}`.padEnd(32)).toString('base64')];
      const refused = await gateway.api('POST', '/v1/gateways', { name: `passing ${index}`, ...fields, pins });
      expect(await refused.json()).toMatchObject({ code: 'tls_pin_mismatch' });
    });
    await inParallel(10, CONCURRENCY, async (index) => {
      const number = (round * 10 + index) % UPSTREAMS;
      const checked = await gateway.api('POST', `/v1/gateways/up-${number}/check`);
      expect(await checked.json()).toMatchObject({ ok: true, presented: { subject: `CN=client-${number}` } });
    });
    collect();
    upstream.dropConnections();
    held.push((await footprint()).heapBytes);
  }

  expect(live.map((fingerprint) => builds.get(fingerprint))).toEqual(live.map(() => 1));
  expect(builds.size).toBe(UPSTREAMS + 60 * ROUNDS);
  for (let number = 0; number < UPSTREAMS; number++)
    expect(upstream.calls.get(`client-${number}`), `calls with certificate ${number}`).toBe(sent.get(number));
  console.log(`heap ${held.map((bytes) => (bytes / 1e6).toFixed(1)).join(' ')} MB`);
  const [early = 0] = held.slice(Math.min(3, held.length - 1));
  expect((held.at(-1) ?? 0) - early).toBeLessThan(4_000_000);
});
