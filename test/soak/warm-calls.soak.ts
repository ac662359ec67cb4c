/** 100,000 calls over one upstream: what a call leaves behind would show as growth. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bare, inParallel, modern, openCallers } from '../support/callers.ts';
import type { Callers } from '../support/callers.ts';
import { footprint, median, type Footprint } from '../support/footprint.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { mintPki } from '../support/pki.ts';
import { startPlainMcpServer } from '../support/plain-mcp-server.ts';
import type { PlainMcpServer } from '../support/plain-mcp-server.ts';
import { scaled } from '../support/soak-scale.ts';

const CONCURRENCY = 32;
const LAPS = 10;
const CALLS = scaled(100_000, LAPS * 100);
/** What the engine itself drifts by between two laps; a hundred bytes a call would be ten times as much. */
const DRIFT_BYTES = 1_000_000;
let upstream: PlainMcpServer;
let gateway: TestGateway;
let callers: Callers;

beforeAll(async () => {
  const ca = await (await mintPki()).ca('CA');
  const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  const client = await ca.issue({ cn: 'client', eku: 'client' });
  upstream = await startPlainMcpServer({ cert, key, ca: ca.pem, requestCert: true, rejectUnauthorized: true });
  gateway = await startGateway();
  const identity = { client_cert: client.chainPem, client_key: client.keyPem };
  await gateway.register({ name: 'up', url: upstream.url, ca_certificate: ca.pem, ...identity });
  callers = openCallers(gateway.url, await gateway.token('ann'), CONCURRENCY);
});
afterAll(async () => {
  await callers.close();
  await gateway.close();
  await upstream.close();
});

test(`${CALLS} warm calls: heap, buffers and sockets stay flat, one context serves them all`, async () => {
  const routes = [
    await callers.session('/mcp', 'up_echo'),
    await callers.session('/servers/up/mcp', 'echo'),
    bare('/mcp', 'up_echo'),
    modern('/servers/up/mcp', 'echo'),
  ];
  const counts = { contexts: 0, opened: 0, handshakes: 0 };
  const lap = async (calls: number) => {
    await inParallel(calls, CONCURRENCY, async (index) => {
      const route = routes[index % routes.length];
      if (route && (await callers.call(route, `${index}`)) !== `${index}`) throw new Error('a wrong answer');
    });
    counts.contexts += gateway.countOf('context.built');
    counts.opened += gateway.countOf('connection.opened');
    counts.handshakes += gateway.countOf('handshake.finished');
    // the test's own memory must not grow either
    gateway.events.length = 0;
    return footprint();
  };
  await lap(CALLS / LAPS);
  await lap(CALLS / LAPS);
  const laps: Footprint[] = [];
  for (let index = 0; index < LAPS; index++) laps.push(await lap(CALLS / LAPS));

  const growth = (of: 'heapBytes' | 'externalBytes'): number =>
    median(laps.slice(-3).map((seen) => seen[of])) - median(laps.slice(0, 3).map((seen) => seen[of]));
  console.log(
    `heap ${laps.map(({ heapBytes }) => (heapBytes / 1e6).toFixed(1)).join(' ')} MB, sockets ${laps.map(({ sockets }) => sockets).join(' ')}`,
  );
  expect(growth('heapBytes')).toBeLessThan(DRIFT_BYTES);
  expect(growth('externalBytes')).toBeLessThan(DRIFT_BYTES);
  // callers and upstream are here as well: two ends of each connection, and two listeners
  for (const { sockets } of laps) expect(sockets).toBeLessThanOrEqual(6 * CONCURRENCY + 4);
  expect(upstream.openConnections).toBeLessThanOrEqual(CONCURRENCY + 2);
  expect(counts.contexts).toBe(1);
  expect(counts.handshakes).toBeLessThanOrEqual(counts.opened + 2);
  expect(upstream.handshakes).toBe(counts.handshakes);
});
