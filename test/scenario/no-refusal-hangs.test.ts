import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { mintPki } from '../support/pki.ts';
import { startRawServer } from '../support/raw-servers.ts';
import type { RawServer } from '../support/raw-servers.ts';
import { startUpstream } from '../support/tls-upstream.ts';
import type { TestUpstream } from '../support/tls-upstream.ts';

/** As much again is left for everything that is not connecting, on a machine that is busy. */
const CONNECT_TIMEOUT_MS = 1_000;
let gateway: TestGateway;
let caCertificate: string;
let upstream: TestUpstream;
let raw: RawServer | undefined;

beforeAll(async () => {
  const ca = await (await mintPki()).ca('CA');
  const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  caCertificate = ca.pem;
  upstream = await startUpstream({ tls: { cert, key } });
  gateway = await startGateway({ settings: { POSTERN_CONNECT_TIMEOUT: '1' } });
});
afterEach(() => raw?.close());
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** Passes on what the server says up to this many bytes, then nothing, and keeps the connection. */
const stallAfter = (bytes: number) => (client: Socket) => {
  const server = connect(upstream.port, '127.0.0.1').on('error', () => {});
  let left = bytes;
  client.on('data', (chunk) => server.write(chunk)).on('close', () => server.destroy());
  server.on('data', (chunk: Buffer) => {
    client.write(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
  });
};

test.each([
  ['says nothing at all', () => {}],
  ['stops within the first record of the handshake', stallAfter(3)],
  ['stops in the middle of the handshake', stallAfter(200)],
])('a server that accepts and %s is given up on within the connect timeout', async (_what, behave) => {
  raw = await startRawServer(behave);
  const fields = { url: `https://127.0.0.1:${raw.port}/mcp`, ca_certificate: caCertificate };
  const startedMs = performance.now();
  const refused = await gateway.api('POST', '/v1/gateways', { name: 'up', ...fields });
  const tookMs = performance.now() - startedMs;
  expect(await refused.json()).toMatchObject({ status: 502, code: 'connect_timeout', stage: 'tcp' });
  expect(tookMs).toBeGreaterThan(CONNECT_TIMEOUT_MS - 100);
  expect(tookMs).toBeLessThan(2 * CONNECT_TIMEOUT_MS);
  expect(await gateway.gateway.records.ids('gateway')).toEqual([]);
});
