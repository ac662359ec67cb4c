import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import type { KeyType } from '../../src/pki/keys.ts';
import type { Channel } from '../../src/tls/dialer.ts';
import type { TlsMaterial } from '../../src/tls/profile.ts';
import { identityOf } from '../support/open-test-profile.ts';
import { keyForm, type MintedCa, type MintedCertificate, mintPki, type TestPki } from '../support/pki.ts';
import { recordEvents } from '../support/recorded-events.ts';
import { startUpstream, type TestUpstream } from '../support/tls-upstream.ts';
import { expectResumption, type DialerSubject } from './dialer-contract.ts';

/** Which identities and trust a dialer must carry into a handshake. */
export function dialerIdentityContract(name: string, subject: DialerSubject): void {
  describe(`dialer identity contract: ${name}`, () => {
    let pki: TestPki;
    let ca: MintedCa;
    let server: MintedCertificate;
    let strict: TestUpstream;
    const events = recordEvents();
    const dialer = subject.createDialer({ events: events.sink, connectTimeoutMs: 20_000 });
    const started: TestUpstream[] = [];

    beforeAll(async () => {
      pki = await mintPki();
      ca = await pki.ca('identity root');
      server = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
      strict = await serve(server, { ca: ca.pem, requestCert: true, rejectUnauthorized: true });
    });
    afterAll(async () => {
      for (const upstream of started) await upstream.close();
      await dialer.close();
    });

    async function serve({ chainPem, keyPem }: MintedCertificate, tls: object = {}): Promise<TestUpstream> {
      const upstream = await startUpstream({ tls: { cert: chainPem, key: keyPem, ...tls } });
      started.push(upstream);
      return upstream;
    }

    async function withChannel<T>(
      material: TlsMaterial,
      origin: string,
      work: (channel: Channel) => Promise<T>,
    ): Promise<T> {
      const channel = await dialer.open(await subject.openProfile(material), origin);
      try {
        return await work(channel);
      } finally {
        channel.destroy(new GatewayError('channel_closed', 'the test is over'));
      }
    }

    async function get(channel: Channel, path = '/'): Promise<string> {
      return (await channel.send({ method: 'GET', path, headers: {} })).text(100);
    }

    const call = (material: TlsMaterial, upstream = strict, host = 'localhost'): Promise<string> =>
      withChannel(material, upstream.origin(host), get);

    describe('identity', () => {
      test.each<KeyType>(['rsa2048', 'ec-p256', 'ec-p384', 'ed25519'])('a %s key', async (keyType) => {
        const client = await ca.issue({ cn: `client ${keyType}`, eku: 'client', keyType });
        expect(await call({ caCertificate: ca.pem, ...identityOf(client) })).toBe('ok');
        expect(strict.requests.at(-1)?.client).toBe(`client ${keyType}`);
      });

      test.each([
        ['rsa2048', 'pkcs1'],
        ['ec-p256', 'sec1'],
        ['ec-p256', { passphrase: 'correct horse' }],
        ['rsa2048', { passphrase: 'correct horse' }],
        ['ed25519', { passphrase: 'correct horse' }],
      ] as const)('a %s key in the form %o', async (keyType, form) => {
        const client = await ca.issue({ cn: 'formed', eku: 'client', keyType });
        const clientKeyPassword = typeof form === 'object' ? new Secret(form.passphrase) : undefined;
        const clientKey = new Secret(keyForm(client.keyPem, form));
        const material = { caCertificate: ca.pem, clientCertificate: client.certPem, clientKey, clientKeyPassword };
        expect(await call(material)).toBe('ok');
        expect(strict.requests.at(-1)?.client).toBe('formed');
      });

      test('a PEM bundle, alone or in both fields', async () => {
        const client = await ca.issue({ cn: 'bundled', eku: 'client' });
        const clientKey = new Secret(client.bundlePem);
        for (const both of [{}, { clientKey }]) {
          expect(await call({ caCertificate: ca.pem, clientCertificate: client.bundlePem, ...both })).toBe('ok');
          expect(strict.requests.at(-1)?.client).toBe('bundled');
        }
      });

      test('intermediates, in whatever order they were given', async () => {
        const upper = await ca.intermediate('upper');
        const lower = await upper.intermediate('lower');
        const client = await lower.issue({ cn: 'below', eku: 'client' });
        const clientCertificate = upper.pem + client.certPem + lower.pem;
        const material = { caCertificate: ca.pem, clientCertificate, clientKey: new Secret(client.keyPem) };
        expect(await call(material)).toBe('ok');
        expect(strict.requests.at(-1)?.client).toBe('below');
      });
    });

    describe('trust', () => {
      test('only the given CA, of which an intermediate may be one', async () => {
        const below = await ca.intermediate('issuing');
        const upstream = await serve(await below.issue({ cn: 'below', dns: ['localhost'] }));
        expect(await call({ caCertificate: below.pem }, upstream)).toBe('ok');
        await expect(call({ caCertificate: below.pem }, strict)).rejects.toMatchObject({ code: 'tls_unknown_ca' });
      });

      test('added to the default set, and to this profile only', async () => {
        const upstream = await serve(server);
        expect(await call({ caCertificate: ca.pem, caMode: 'add' }, upstream)).toBe('ok');
        const other = await pki.ca('some other root');
        const mismatch = expect.objectContaining({ code: 'tls_unknown_ca' });
        await expect(call({ caCertificate: other.pem, caMode: 'add' }, upstream)).rejects.toEqual(mismatch);
        await expect(call({}, upstream)).rejects.toEqual(mismatch);
      });

      test('a server name instead of the host, an address, or no name check at all', async () => {
        const named = await serve(await ca.issue({ cn: 'n', dns: ['mcp.internal'], ip: ['127.0.0.1'] }));
        const caCertificate = ca.pem;
        expect(await call({ caCertificate, serverName: 'mcp.internal' }, named)).toBe('ok');
        expect(await call({ caCertificate }, named, '127.0.0.1')).toBe('ok');
        await expect(call({ caCertificate }, named)).rejects.toMatchObject({ code: 'tls_server_wrong_host' });
        expect(await call({ caCertificate, checkHostname: false }, named)).toBe('ok');
        const other = await pki.ca('no name check is no free pass');
        const unchecked = call({ caCertificate: other.pem, checkHostname: false }, named);
        await expect(unchecked).rejects.toMatchObject({ code: 'tls_unknown_ca' });
      });

      test('pins hold with and without verification, and no session gets around them', async () => {
        const own = await pki.selfSigned({ cn: 'appliance', dns: ['elsewhere'] });
        const upstream = await serve(own);
        const pins = [server.certificate.facts.spkiPin, `sha256//${own.certificate.facts.spkiPin}`];
        expect(await call({ verify: false, pins }, upstream)).toBe('ok');
        const wrong = call({ verify: false, pins: pins.slice(0, 1) }, upstream);
        await expect(wrong).rejects.toMatchObject({ code: 'tls_pin_mismatch' });
        expect(await call({ verify: false }, upstream)).toBe('ok');

        for (const [material, mayResume] of [
          [{ caCertificate: ca.pem, pins: pins.slice(0, 1) }, false],
          [{ caCertificate: ca.pem }, true],
        ] as const) {
          const origin = (await serve(server)).origin();
          await withChannel(material, origin, async (channel) => {
            for (let round = 0; round < 3; round++) await Promise.all([get(channel), get(channel), get(channel)]);
          });
          const handshakes = events.of('handshake.finished').filter((handshake) => handshake.origin === origin);
          expect(handshakes.length).toBeGreaterThan(2);
          expect(handshakes[0]?.resumed).toBe(false);
          const resumed = handshakes.map((handshake) => handshake.resumed);
          if (mayResume) expectResumption(subject, resumed);
          else expect(resumed).not.toContain(true);
        }
      });

      test.each(['TLSv1.2', 'TLSv1.3'])(
        'a server that was refused once is not let in by its session, %s',
        async (version) => {
          const upstream = await serve(server, { maxVersion: version });
          await withChannel({ caCertificate: ca.pem }, upstream.origin('127.0.0.1'), async (channel) => {
            for (let round = 0; round < 3; round++)
              await expect(get(channel)).rejects.toMatchObject({ code: 'tls_server_wrong_host' });
          });
        },
      );

      test('a revocation list for every issuer', async () => {
        const revoked = await ca.issue({ cn: 'revoked', dns: ['localhost'] });
        const material = { caCertificate: ca.pem, crl: await ca.crl([revoked.serialNumber]) };
        expect(await call(material, await serve(server))).toBe('ok');
        await expect(call(material, await serve(revoked))).rejects.toMatchObject({ code: 'tls_server_revoked' });
      });
    });
  });
}
