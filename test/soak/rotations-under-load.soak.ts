/** Certificates, authorities and kinds of keys are replaced while calls and streams run: none is lost or made twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bare, modern, openCallers } from '../support/callers.ts';
import type { Callers } from '../support/callers.ts';
import { footprint } from '../support/footprint.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCertificate } from '../support/pki.ts';
import { isWhole, startRotatingServer } from '../support/rotating-server.ts';
import type { RotatingServer } from '../support/rotating-server.ts';
import { scaled } from '../support/soak-scale.ts';
import { until } from '../support/until.ts';

const CONCURRENCY = 32;
const STREAMS = 20;
const ROTATIONS = scaled(50, 8);
const CALLS_BETWEEN = 2_000;
/** A 3 s call is under way at every rotation; several overlap. */
const SLOW_AT_ONCE = 6;

let server: RotatingServer;
let gateway: TestGateway;
let callers: Callers;
let changes: readonly object[];

beforeAll(async () => {
  const pki = await mintPki();
  const [old, next] = await Promise.all([pki.ca('Old CA'), pki.ca('Next CA')]);
  const own = await old.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  const first = await old.issue({ cn: 'first', eku: 'client' });
  const second = await next.issue({ cn: 'second', eku: 'client' });
  const rsa = await next.issue({ cn: 'rsa', eku: 'client', keyType: 'rsa2048' });
  const ca = [old.pem, next.pem].join('');
  server = await startRotatingServer({ cert: own.chainPem, key: own.keyPem, ca, requestCert: true });
  gateway = await startGateway();
  const identity = ({ chainPem, keyPem }: MintedCertificate) => ({ client_cert: chainPem, client_key: keyPem });
  await gateway.register({ name: 'up', url: server.url, ca_certificate: old.pem, ...identity(first) });
  callers = openCallers(gateway.url, await gateway.token('ann'), CONCURRENCY);
  changes = [
    identity(second),
    { ca_certificate: ca },
    { ca_certificate: old.pem, ...identity(first) },
    identity(rsa),
    { ca_certificate: ca, ...identity(second) },
    { ca_certificate: old.pem },
    identity(first),
  ];
});
afterAll(async () => {
  await callers.close();
  await gateway.close();
  await server.close();
});

async function openStream(name: string, token: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'text/event-stream' };
  const params = { name: 'up_echo', arguments: { text: `stream ${name}` }, _meta: { progressToken: name } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: name, method: 'tools/call', params });
  return fetch(`${gateway.url}/mcp`, { method: 'POST', headers, body });
}

const p99 = (millis: readonly number[]): number =>
  millis.toSorted((a, b) => a - b)[Math.floor(millis.length * 0.99)] ?? 0;

test(`${ROTATIONS} rotations during ${ROTATIONS * CALLS_BETWEEN} calls and ${STREAMS} streams`, async () => {
  const token = await gateway.token('ann');
  const routes = [bare('/mcp', 'up_echo'), modern('/servers/up/mcp', 'echo')];
  let calls = 0;
  const failures: unknown[] = [];
  const callOnce = async (text: string, millis?: number[]): Promise<void> => {
    const route = routes[calls++ % routes.length];
    if (route === undefined) return;
    const startedMs = performance.now();
    await callers.call(route, text).then(
      (answer) => (answer === text ? undefined : failures.push(new Error(`${answer} for ${text}`))),
      (error: unknown) => failures.push(error),
    );
    millis?.push(performance.now() - startedMs);
  };
  const load = async (count: number, millis: number[]): Promise<void> => {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await callOnce(`call ${calls}`, millis);
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  };

  const streams = await Promise.all(Array.from({ length: STREAMS }, (_, index) => openStream(`${index}`, token)));
  await load(CALLS_BETWEEN, []);
  const quiet: number[] = [];
  for (let round = 0; round < 5; round++) {
    server.tick();
    await load(CALLS_BETWEEN, quiet);
  }
  const before = await footprint();
  const openBefore = server.openConnections;

  const rotating: number[] = [];
  const slow: Promise<void>[] = [];
  const slowCallers = openCallers(gateway.url, token, SLOW_AT_ONCE);
  for (let rotation = 0; rotation < ROTATIONS; rotation++) {
    slow.push(
      slowCallers.call(routes[0] ?? bare('/mcp', 'up_echo'), `slow ${rotation}`).then(
        (answer) => expect(answer).toBe(`slow ${rotation}`),
        (error: unknown) => void failures.push(error),
      ),
    );
    const rotate = async (): Promise<void> => {
      const answer = await gateway.api('PUT', '/v1/gateways/up', changes[rotation % changes.length]);
      if (answer.status !== 200) failures.push(new Error(await answer.text()));
      else await answer.arrayBuffer();
    };
    server.tick();
    await Promise.all([load(CALLS_BETWEEN, rotating), rotate()]);
    gateway.events.length = 0;
  }
  await Promise.all(slow);
  await slowCallers.close();
  server.endStreams();
  const whole = await Promise.all(streams.map(isWhole));

  expect(failures).toEqual([]);
  expect([...server.duplicates]).toEqual([]);
  expect(server.callCount).toBe(calls + ROTATIONS + STREAMS);
  expect(whole).toEqual(Array(STREAMS).fill(true));
  const [quietMs, rotatingMs] = [p99(quiet), p99(rotating)];
  // what drained is gone, and a lap later nothing has grown; the test keeps nothing of its own
  server.forget();
  quiet.length = 0;
  rotating.length = 0;
  await load(CALLS_BETWEEN, []);
  await until(() => server.openConnections <= Math.max(openBefore, CONCURRENCY + 2));
  const after = await footprint();
  console.log(
    `${calls} calls, ${failures.length} failed, ${server.duplicates.size} duplicated; p99 ${quietMs.toFixed(1)} ms without, ` +
      `${rotatingMs.toFixed(1)} ms with rotations (${(rotatingMs / quietMs).toFixed(2)}x); ` +
      `heap ${(before.heapBytes / 1e6).toFixed(1)} -> ${(after.heapBytes / 1e6).toFixed(1)} MB, ` +
      `sockets ${before.sockets} -> ${after.sockets}`,
  );
  expect(after.heapBytes - before.heapBytes).toBeLessThan(3_000_000);
  expect(after.sockets).toBeLessThanOrEqual(before.sockets);
});
