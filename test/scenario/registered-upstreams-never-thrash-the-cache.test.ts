/** The bound of the cache is on what nobody uses: an upstream that is registered keeps its channel and its context. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventFields, EventName } from '../../src/base/events.ts';
import { bare, inParallel, openCallers } from '../support/callers.ts';
import type { Callers } from '../support/callers.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa } from '../support/pki.ts';
import { startPlainMcpServer } from '../support/plain-mcp-server.ts';
import type { PlainMcpServer } from '../support/plain-mcp-server.ts';
import { lehmer } from '../support/random.ts';

const UPSTREAMS = 150;
const CACHE = 100;
let ca: MintedCa;
let upstream: PlainMcpServer;
let gateway: TestGateway;
let callers: Callers;

beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  upstream = await startPlainMcpServer({ cert, key, ca: ca.pem, requestCert: true, rejectUnauthorized: true });
  gateway = await startGateway({ settings: { SSL_CONTEXT_CACHE_MAX_SIZE: String(CACHE) } });
  callers = openCallers(gateway.url, await gateway.token('ann'), 16);
});

afterAll(async () => {
  await callers.close();
  await gateway.close();
  await upstream.close();
});

const fieldsOf = <Name extends EventName>(name: Name): EventFields[Name][] =>
  gateway.events.filter((event) => event.name === name).map(({ fields }) => fields as EventFields[Name]);

/** How often each cache answered how. */
function cacheUse(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { cache, outcome } of fieldsOf('cache.used'))
    counts[`${cache} ${outcome}`] = (counts[`${cache} ${outcome}`] ?? 0) + 1;
  return counts;
}

/** Calls the upstreams with these numbers, one after the other as far as 16 at once allow. */
const callEach = (numbers: readonly number[]) =>
  inParallel(numbers.length, 16, async (index) => {
    const text = `${numbers[index]}`;
    expect(await callers.call(bare(`/servers/up-${text}/mcp`, 'echo'), text)).toBe(text);
  });

/** One handshake with each, for the report. */
const checkAll = () =>
  inParallel(UPSTREAMS, 16, async (number) => {
    const checked = await gateway.api('POST', `/v1/gateways/up-${number}/check`);
    expect(await checked.json()).toMatchObject({ ok: true, presented: { subject: `CN=client-${number}` } });
  });

test('150 upstreams and a cache of 100: one context and one channel each, through any traffic and a burst of checks', async () => {
  const fields = { url: upstream.url, transport: 'STREAMABLEHTTP', ca_certificate: ca.pem };
  await inParallel(UPSTREAMS, 8, async (number) => {
    const { chainPem, keyPem } = await ca.issue({ cn: `client-${number}`, eku: 'client' });
    await gateway.register({ name: `up ${number}`, ...fields, client_cert: chainPem, client_key: keyPem });
  });
  const built = () => fieldsOf('context.built').map(({ fingerprint }) => fingerprint);
  const live = built();
  expect([live.length, new Set(live).size]).toEqual([UPSTREAMS, UPSTREAMS]);
  expect(cacheUse()).toEqual({ 'channel miss': UPSTREAMS, 'context miss': UPSTREAMS });

  const random = lehmer(11);
  const uniform = Array.from({ length: 300 }, () => Math.floor(random() * UPSTREAMS));
  const cyclic = Array.from({ length: 300 }, (_, index) => index % UPSTREAMS);
  await callEach(uniform);
  await callEach(cyclic);
  expect(cacheUse()).toEqual({ 'channel miss': UPSTREAMS, 'context miss': UPSTREAMS });

  // refused registrations dial with profiles nobody keeps: more of them than the cache holds
  await inParallel(CACHE + 20, 8, async (number) => {
    const pins = [Buffer.alloc(32, number).toString('base64')];
    const refused = await gateway.api('POST', '/v1/gateways', { name: `passing ${number}`, ...fields, pins });
    expect(await refused.json()).toMatchObject({ code: 'tls_pin_mismatch' });
  });
  await checkAll();
  const afterBurst = built();
  expect(afterBurst).toHaveLength(UPSTREAMS + CACHE + 20);
  expect(cacheUse()['context evicted']).toBeGreaterThanOrEqual(20);

  await callEach(cyclic);
  await callEach(uniform);
  await checkAll();
  expect(built()).toEqual(afterBurst);
  // a channel that had gone would have been asked for again
  expect(cacheUse()['channel miss']).toBe(UPSTREAMS + CACHE + 20);
  for (let number = 0; number < UPSTREAMS; number++) {
    const expected = [...uniform, ...uniform, ...cyclic, ...cyclic].filter((called) => called === number).length;
    expect(upstream.calls.get(`client-${number}`), `calls with certificate ${number}`).toBe(expected);
  }
}, 60_000);
