import type { ServerOptions } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { GatewayError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import type { TlsMaterial } from '../../src/tls/profile.ts';
import { identityOf, profileOf } from '../support/open-test-profile.ts';
import { type MintedCa, type MintedCertificate, type MintOptions, mintPki } from '../support/pki.ts';
import { ALERT, startAlertingServer, startRawServer } from '../support/raw-servers.ts';
import { startUpstream } from '../support/tls-upstream.ts';

/** Short, so that a refusal that hangs is seen; the silent server below takes exactly this long. */
const CONNECT_TIMEOUT_MS = 1_000;
const DAY_MS = 86_400_000;

const dialer = createDialer(NODE, {
  events: () => {},
  clock: systemClock,
  contextCache: { maxIdle: 0 },
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
});

let ca: MintedCa;
let otherCa: MintedCa;
let server: MintedCertificate;
let client: MintedCertificate;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const pki = await mintPki();
  ca = await pki.ca('matrix root');
  otherCa = await pki.ca('another root');
  server = await serverWith({});
  client = await ca.issue({ cn: 'client', eku: 'client' });
});

afterAll(async () => {
  for (const close of closing) await close();
  await dialer.close();
});

const serverWith = (options: Partial<MintOptions>) =>
  ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server', ...options });
const strict = (): ServerOptions => ({ ca: ca.pem, requestCert: true, rejectUnauthorized: true });

async function upstreamWith({ chainPem, keyPem }: MintedCertificate, options: ServerOptions = {}): Promise<number> {
  const upstream = await startUpstream({ tls: { cert: chainPem, key: keyPem, ...options } });
  closing.push(() => upstream.close());
  return upstream.port;
}

async function alerting(description: number): Promise<number> {
  const options = { requestCert: true, rejectUnauthorized: false, maxVersion: 'TLSv1.2' } as const;
  const raw = await startAlertingServer(await upstreamWith(server, options), description);
  closing.push(() => raw.close());
  return raw.port;
}

/** What a caller of this upstream is told; `origin` names a host when it is not localhost. */
async function refusal(material: TlsMaterial, port: number, host = 'localhost'): Promise<GatewayError> {
  const startedMs = performance.now();
  let refused: unknown;
  try {
    const channel = await dialer.open(await profileOf(material), `https://${host}:${port}`);
    try {
      await (await channel.send({ method: 'POST', path: '/', headers: {}, body: '{}' })).text(1_000);
    } finally {
      channel.destroy(new GatewayError('channel_closed', 'the test is over'));
    }
  } catch (error) {
    refused = error;
  }
  expect(performance.now() - startedMs).toBeLessThan(CONNECT_TIMEOUT_MS + 500);
  if (refused instanceof GatewayError) return refused;
  throw new Error('expected a refusal', { cause: refused });
}

type Row = readonly [what: string, code: ErrorCode, met: () => Promise<GatewayError>, says?: RegExp];

describe('what only a handshake tells has a code of its own, in time', () => {
  const trusting = (): TlsMaterial => ({ caCertificate: ca.pem });
  const withClient = (): TlsMaterial => ({ ...trusting(), ...identityOf(client) });
  const rows: readonly Row[] = [
    ['unknown CA', 'tls_unknown_ca', async () => refusal({ caCertificate: otherCa.pem }, await upstreamWith(server))],
    [
      'expired server certificate',
      'tls_server_expired',
      async () => {
        const expired = await serverWith({ notBefore: daysFromNow(-3), notAfter: daysFromNow(-1) });
        return refusal(trusting(), await upstreamWith(expired));
      },
    ],
    [
      'server certificate not yet valid',
      'tls_server_not_yet_valid',
      async () => refusal(trusting(), await upstreamWith(await serverWith({ notBefore: daysFromNow(1) }))),
    ],
    [
      'wrong host',
      'tls_server_wrong_host',
      async () => refusal(trusting(), await upstreamWith(server), '127.0.0.1'),
      /^the certificate is valid for localhost, not 127\.0\.0\.1$/,
    ],
    [
      'wrong server_name',
      'tls_server_wrong_host',
      async () => refusal({ ...trusting(), serverName: 'other.example' }, await upstreamWith(server)),
      /valid for localhost, not other\.example/,
    ],
    [
      'wrong extended key usage',
      'tls_server_wrong_purpose',
      async () => refusal(trusting(), await upstreamWith(await serverWith({ eku: 'client' }))),
    ],
    [
      'client certificate missing, TLS 1.3',
      'tls_client_certificate_required',
      async () => refusal(trusting(), await upstreamWith(server, { ...strict(), minVersion: 'TLSv1.3' })),
    ],
    [
      'client certificate missing, TLS 1.2',
      'tls_client_certificate_required',
      async () => refusal(trusting(), await upstreamWith(server, { ...strict(), maxVersion: 'TLSv1.2' })),
    ],
    [
      'client certificate untrusted',
      'tls_client_certificate_untrusted',
      async () => refusal(withClient(), await alerting(ALERT.unknownCa)),
    ],
    [
      'client certificate expired on their clock',
      'tls_client_certificate_expired',
      async () => refusal(withClient(), await alerting(ALERT.certificateExpired)),
    ],
    [
      'client certificate revoked',
      'tls_client_certificate_revoked',
      async () => refusal(withClient(), await alerting(ALERT.certificateRevoked)),
    ],
    [
      'client certificate refused for no stated reason',
      'tls_client_certificate_refused',
      async () => refusal(withClient(), await alerting(ALERT.badCertificate)),
    ],
    [
      'client certificate refused without a word',
      'connection_lost',
      async () => {
        const stranger = await otherCa.issue({ cn: 'stranger', eku: 'client' });
        return refusal({ ...trusting(), ...identityOf(stranger) }, await upstreamWith(server, strict()));
      },
    ],
    [
      'server certificate revoked',
      'tls_server_revoked',
      async () => refusal({ ...trusting(), crl: await ca.crl([server.serialNumber]) }, await upstreamWith(server)),
    ],
    [
      'CRL out of date',
      'tls_crl_unusable',
      async () => {
        const crl = await ca.crl([], { thisUpdate: daysFromNow(-3), nextUpdate: daysFromNow(-1) });
        return refusal({ ...trusting(), crl }, await upstreamWith(server));
      },
    ],
    [
      'TLS 1.1 server',
      'tls_version_unsupported',
      async () => {
        const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
        return refusal(trusting(), await upstreamWith(server, old));
      },
    ],
    [
      'TLS 1.2 server where 1.3 is the minimum',
      'tls_version_unsupported',
      async () =>
        refusal({ ...trusting(), minVersion: 'TLSv1.3' }, await upstreamWith(server, { maxVersion: 'TLSv1.2' })),
    ],
    [
      'plain HTTP on a TLS port',
      'tls_not_spoken',
      async () => {
        const plain = await startUpstream();
        closing.push(() => plain.close());
        return refusal(trusting(), plain.port);
      },
    ],
    [
      'a server that accepts and says nothing',
      'connect_timeout',
      async () => {
        const silent = await startRawServer(() => {});
        closing.push(() => silent.close());
        return refusal(trusting(), silent.port);
      },
      /handshake did not finish/,
    ],
    [
      'a server that hangs up during the handshake',
      'connection_lost',
      async () => {
        const rude = await startRawServer((socket) => socket.once('data', () => socket.destroy()));
        closing.push(() => rude.close());
        return refusal(trusting(), rude.port);
      },
    ],
    [
      'nothing listening',
      'tcp_refused',
      async () => {
        const gone = await startRawServer(() => {});
        await gone.close();
        return refusal(trusting(), gone.port);
      },
    ],
    ['a name without address', 'dns_not_found', async () => refusal(trusting(), 444, 'no..name')],
    [
      'a key that is not pinned',
      'tls_pin_mismatch',
      async () => refusal({ ...trusting(), pins: [client.certificate.facts.spkiPin] }, await upstreamWith(server)),
    ],
    ['a metadata address', 'address_refused', async () => refusal(trusting(), 80, '169.254.169.254')],
  ];

  for (const [what, code, met, says] of rows)
    test(`${what}: ${code}`, async () => {
      const error = await met();
      expect(error).toMatchObject({ code });
      expect(error.hint).toBeTruthy();
      if (says) expect(error.message).toMatch(says);
    });

  test('a refusal without a word says whether a certificate was shown', async () => {
    const rude = await startRawServer((socket) => socket.once('data', () => socket.destroy()));
    closing.push(() => rude.close());
    expect((await refusal(trusting(), rude.port)).hint).toMatch(/none is registered/);
    expect((await refusal(withClient(), rude.port)).hint).toMatch(/refused ours/);
  });
});

describe('what can be known before is refused before', () => {
  const rows: readonly Row[] = [
    [
      'a key that does not match',
      'key_mismatch',
      async () => {
        const other = await ca.issue({ cn: 'other', eku: 'client' });
        return refusal({ clientCertificate: client.chainPem, clientKey: new Secret(other.keyPem) }, 1);
      },
    ],
    ['a chain without its key', 'key_missing', async () => refusal({ clientCertificate: client.chainPem }, 1)],
    [
      'a key without its certificate',
      'certificate_missing',
      async () => refusal({ clientKey: new Secret(client.keyPem) }, 1),
    ],
    [
      'an expired client certificate',
      'certificate_expired',
      async () => {
        const expired = await ca.issue({ cn: 'old', notBefore: daysFromNow(-3), notAfter: daysFromNow(-1) });
        return refusal(identityOf(expired), 1);
      },
    ],
    [
      'a client certificate not yet valid',
      'certificate_not_yet_valid',
      async () => refusal(identityOf(await ca.issue({ cn: 'early', notBefore: daysFromNow(1) })), 1),
    ],
    [
      'a client certificate for servers only',
      'certificate_wrong_purpose',
      async () => refusal(identityOf(await ca.issue({ cn: 'web', eku: 'server' })), 1),
    ],
    ['a CA that is none', 'ca_not_a_ca', async () => refusal({ caCertificate: client.certPem }, 1)],
  ];

  for (const [what, code, met] of rows)
    test(`${what}: ${code}`, async () => {
      expect(await met()).toMatchObject({ code });
    });
});

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}
