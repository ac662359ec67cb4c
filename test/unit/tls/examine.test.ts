import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import { createDialer } from '../../../adapters/node-compat/dialer/dialer.ts';
import { RUNTIME } from '#runtime';
import type { HandshakeReport } from '../../../src/tls/dialer.ts';
import type { TlsMaterial } from '../../../src/tls/profile.ts';
import { identityOf, profileOf } from '../../support/open-test-profile.ts';
import { type MintedCa, type MintedCertificate, mintPki, type TestPki } from '../../support/pki.ts';
import { ALERT, startAlertingServer, startRawServer } from '../../support/raw-servers.ts';
import { startUpstream, type TestUpstream } from '../../support/tls-upstream.ts';

let pki: TestPki;
let ca: MintedCa;
let server: MintedCertificate;
let client: MintedCertificate;
const started: { close(): Promise<void> }[] = [];
const dialer = createDialer(RUNTIME, {
  events: () => {},
  clock: systemClock,
  contextCache: { maxIdle: 1 },
  connectTimeoutMs: 1_000,
});

beforeAll(async () => {
  pki = await mintPki();
  ca = await pki.ca('root');
  const issuing = await ca.intermediate('issuing');
  server = await issuing.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
  client = await ca.issue({ cn: 'client', eku: 'client' });
});

afterAll(async () => {
  for (const server of started) await server.close();
  await dialer.close();
});

async function serve(tls: object = {}): Promise<TestUpstream> {
  const upstream = await startUpstream({ tls: { cert: server.chainPem, key: server.keyPem, ...tls } });
  started.push(upstream);
  return upstream;
}

const strict = () => ({ ca: ca.pem, requestCert: true, rejectUnauthorized: true });
const never = new AbortController().signal;

async function examine(material: TlsMaterial, origin: string, signal = never): Promise<HandshakeReport> {
  return dialer.examine(await profileOf(material), origin, signal);
}

/** Under TLS 1.2 a server that refuses us ends the handshake, and not every runtime tells what it had shown by then. */
function expectShown({ peerChain }: HandshakeReport, version: string): void {
  const isTold = version === 'TLSv1.3' || RUNTIME.dialer.errorDetail === 'alert';
  expect(peerChain[0]?.subject).toBe(isTold ? 'CN=server' : undefined);
}

test('a handshake that holds is reported whole, and no request is sent', async () => {
  const upstream = await serve(strict());
  const report = await examine({ caCertificate: ca.pem, ...identityOf(client) }, upstream.origin());
  expect(report).toMatchObject({
    ok: true,
    protocol: 'TLSv1.3',
    alpn: 'http/1.1',
    serverName: 'localhost',
    error: undefined,
    presented: { subject: 'CN=client' },
  });
  expect(report.cipher).toMatch(/^TLS_/);
  expect(report.peerChain.map(({ subject }) => subject).slice(0, 2)).toEqual(['CN=server', 'CN=issuing']);
  expect(upstream.requests).toEqual([]);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a peer that is not accepted is shown all the same, %s', async (version) => {
  const upstream = await serve({ maxVersion: version });
  const other = await pki.ca('other');
  for (const [material, host, code] of [
    [{ caCertificate: other.pem, ...identityOf(client) }, 'localhost', 'tls_unknown_ca'],
    [{ caCertificate: ca.pem }, '127.0.0.1', 'tls_server_wrong_host'],
    [{ caCertificate: ca.pem, pins: [client.certificate.facts.spkiPin] }, 'localhost', 'tls_pin_mismatch'],
  ] as const) {
    const report = await examine(material, upstream.origin(host));
    expect(report).toMatchObject({ ok: false, protocol: version, error: { code } });
    expect(report.peerChain[0]).toMatchObject({ subject: 'CN=server', spkiPin: server.certificate.facts.spkiPin });
  }
});

test('the second look shows nothing of ours', async () => {
  const upstream = await serve({ ...strict(), rejectUnauthorized: false });
  const other = await pki.ca('other');
  const report = await examine({ caCertificate: other.pem, ...identityOf(client) }, upstream.origin());
  expect(report.presented?.subject).toBe('CN=client');
  // Whether the server counts the first handshake depends on how fast we hung up; the second it finishes.
  while (!upstream.handshakes.includes(undefined)) await setImmediate();
  expect(upstream.connections).toBe(2);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a missing client certificate is found out, %s', async (version) => {
  const upstream = await serve({ ...strict(), minVersion: version, maxVersion: version });
  const report = await examine({ caCertificate: ca.pem }, upstream.origin());
  expect(report).toMatchObject({ ok: false, presented: undefined, error: { code: 'tls_client_certificate_required' } });
  expectShown(report, version);
});

test('a client certificate refused with an alert, or without a word, is found out', async () => {
  const lenient = await serve({ requestCert: true, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  const alerting = await startAlertingServer(lenient.port, ALERT.certificateRevoked);
  started.push(alerting);
  const material = { caCertificate: ca.pem, ...identityOf(client) };
  const revoked = await examine(material, `https://localhost:${alerting.port}`);
  expect(revoked.error?.code).toBe('tls_client_certificate_revoked');
  expectShown(revoked, 'TLSv1.2');

  const stranger = await (await pki.ca('other')).issue({ cn: 'stranger', eku: 'client' });
  const silent = await serve(strict());
  const refused = await examine({ caCertificate: ca.pem, ...identityOf(stranger) }, silent.origin());
  expect(refused).toMatchObject({ ok: false, protocol: 'TLSv1.3', error: { code: 'connection_lost' } });
  expect(refused.error?.hint).toMatch(/refused ours/);
});

test('a server that never answers ends with the connect timeout, or earlier with the signal', async () => {
  const silent = await startRawServer(() => {});
  started.push(silent);
  const report = await examine({ caCertificate: ca.pem }, `https://localhost:${silent.port}`);
  expect(report).toMatchObject({ ok: false, peerChain: [], error: { code: 'connect_timeout' } });

  const controller = new AbortController();
  const reason = new Error('enough');
  const examining = examine({ caCertificate: ca.pem }, `https://localhost:${silent.port}`, controller.signal);
  await setImmediate();
  controller.abort(reason);
  await expect(examining).rejects.toBe(reason);
  await expect(examine({}, 'https://localhost:1', AbortSignal.abort(reason))).rejects.toBe(reason);
});
