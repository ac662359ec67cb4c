import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { GatewayError } from '../../src/base/errors.ts';
import { identityOf, profileOf } from '../support/open-test-profile.ts';
import { type MintedCa, type MintedCertificate, mintPki } from '../support/pki.ts';
import { recordEvents } from '../support/recorded-events.ts';
import { startUpstream, type TestUpstream } from '../support/tls-upstream.ts';

/**
 * Under TLS 1.3 the client has sent its request when the server judges the client certificate. A server that refuses
 * only then may have read the request, so nobody may send it again.
 */
let ca: MintedCa;
let server: MintedCertificate;
let upstream: TestUpstream;
let stranger: MintedCertificate;
const events = recordEvents();
const dialer = createDialer(NODE, { events: events.sink, clock: systemClock, contextCache: { maxIdle: 10 } });

beforeAll(async () => {
  const pki = await mintPki();
  ca = await pki.ca('root');
  server = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
  stranger = await (await pki.ca('elsewhere')).issue({ cn: 'stranger', eku: 'client' });
  const { chainPem: cert, keyPem: key } = server;
  const tls = { cert, key, ca: ca.pem, requestCert: true, minVersion: 'TLSv1.3' } as const;
  upstream = await startUpstream({
    tls: { ...tls, rejectUnauthorized: false },
    // The application reads the call, then finds the certificate wanting: the worst case.
    handle: ({ socket }) => socket.destroy(),
  });
});

afterAll(async () => {
  await upstream.close();
  await dialer.close();
});

test.each([0, 1_000_000])('a tools/call with %d bytes of arguments', async (size) => {
  upstream.requests.splice(0);
  const profile = await profileOf({ caCertificate: ca.pem, ...identityOf(stranger) });
  const channel = await dialer.open(profile, upstream.origin());
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { pad: 'x'.repeat(size) } });
  const sent = channel.send({ method: 'POST', path: '/mcp', headers: { 'content-type': 'application/json' }, body });
  await expect(sent).rejects.toMatchObject({
    code: 'connection_lost',
    hint: expect.stringContaining('refused ours') as string,
  });
  expect(await channel.drain(0)).toBe(0);
  expect(upstream.requests.map(({ client }) => client)).toEqual(['stranger']);
});

test('failures at the same time keep their own reasons', async () => {
  const { chainPem: cert, keyPem: key } = server;
  const strict = { cert, key, ca: ca.pem, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' } as const;
  const demanding = await startUpstream({ tls: strict });
  const anonymous = await dialer.open(await profileOf({ caCertificate: ca.pem }), demanding.origin());
  const refused = await dialer.open(
    await profileOf({ caCertificate: ca.pem, ...identityOf(stranger) }),
    demanding.origin(),
  );
  const codes = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const channel = index % 2 === 0 ? anonymous : refused;
      const sent = channel.send({ method: 'POST', path: '/', headers: {}, body: '{}' });
      return sent.then(
        () => 'answered',
        (error: GatewayError) => error.code,
      );
    }),
  );
  const own = ['tls_client_certificate_required', 'connection_lost'];
  expect(codes).toEqual(codes.map((_, index) => own[index % 2]));
  expect(demanding.requests).toEqual([]);
  for (const channel of [anonymous, refused]) channel.destroy(new GatewayError('channel_closed', 'the test is over'));
  await demanding.close();
});
