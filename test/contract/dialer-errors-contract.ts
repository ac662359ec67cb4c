import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/base/errors.ts';
import type { TlsMaterial } from '../../src/tls/profile.ts';
import { identityOf } from '../support/open-test-profile.ts';
import { type MintedCa, type MintedCertificate, mintPki } from '../support/pki.ts';
import { ALERT, startAlertingServer } from '../support/raw-servers.ts';
import { startUpstream } from '../support/tls-upstream.ts';
import type { DialerSubject } from './dialer-contract.ts';

const HOUR_MS = 3_600_000;
const hoursFromNow = (hours: number): Date => new Date(Date.now() + hours * HOUR_MS);

/** How much a dialer tells of why a handshake failed: `errorDetail`. */
export function dialerErrorsContract(name: string, subject: DialerSubject): void {
  describe(`dialer errors: ${name}`, () => {
    let ca: MintedCa;
    let server: MintedCertificate;
    let alice: MintedCertificate;
    const started: { close(): Promise<void> }[] = [];
    const dialer = subject.createDialer({ events: () => undefined, connectTimeoutMs: 20_000 });
    const { errorDetail } = dialer.capabilities;

    beforeAll(async () => {
      ca = await (await mintPki()).ca('error root');
      server = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
      alice = await ca.issue({ cn: 'alice', eku: 'client' });
    });
    afterAll(async () => {
      for (const one of started) await one.close();
      await dialer.close();
    });

    async function serve({ chainPem, keyPem }: MintedCertificate, tls: object = {}) {
      const upstream = await startUpstream({ tls: { cert: chainPem, key: keyPem, ...tls } });
      started.push(upstream);
      return upstream;
    }

    /** The codes a call and an examination fail with. */
    async function codesOf(material: TlsMaterial, port: number): Promise<readonly (string | undefined)[]> {
      const origin = `https://localhost:${port}`;
      const profile = await subject.openProfile({ caCertificate: ca.pem, ...material });
      const channel = await dialer.open(profile, origin);
      const called = await channel.send({ method: 'GET', path: '/', headers: {} }).then(
        () => undefined,
        (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
      );
      channel.destroy(new GatewayError('channel_closed', 'the test is over'));
      const { error } = await dialer.examine(profile, origin, new AbortController().signal);
      return [called, error?.code];
    }
    const expectBoth = async (material: TlsMaterial, port: number, code: string) =>
      expect(await codesOf(material, port)).toEqual([code, code]);

    describe('why a server is not believed', () => {
      // where nothing is told, every handshake that fails looks alike
      const told = (code: string): string => (errorDetail === 'none' ? 'tls_handshake_failed' : code);
      const at = (notBefore: number, notAfter: number) => ({
        notBefore: hoursFromNow(notBefore),
        notAfter: hoursFromNow(notAfter),
      });
      test.each([
        ['tls_server_expired', at(-2, -1)],
        ['tls_server_not_yet_valid', at(1, 2)],
        ['tls_server_wrong_purpose', { eku: 'client' as const }],
        ['tls_server_wrong_host', { dns: ['elsewhere'] }],
      ])('%s', async (code, options) => {
        const upstream = await serve(await ca.issue({ cn: 'faulty', dns: ['localhost'], ...options }));
        await expectBoth({}, upstream.port, told(code));
      });

      test('tls_unknown_ca', async () => {
        const other = await (await mintPki()).ca('error root');
        await expectBoth(
          {},
          (await serve(await other.issue({ cn: 'x', dns: ['localhost'] }))).port,
          told('tls_unknown_ca'),
        );
      });

      test('tls_server_revoked, and tls_crl_unusable without a current list', async () => {
        const crl = await ca.crl([server.serialNumber]);
        await expectBoth({ crl }, (await serve(server)).port, 'tls_server_revoked');
        const below = await ca.intermediate('below');
        const unlisted = await serve(await below.issue({ cn: 'unlisted', dns: ['localhost'] }));
        await expectBoth({ crl }, unlisted.port, 'tls_crl_unusable');
        const late = await ca.crl([], { thisUpdate: hoursFromNow(-2), nextUpdate: hoursFromNow(-1) });
        await expectBoth({ crl: late }, (await serve(server)).port, 'tls_crl_unusable');
      });
    });

    describe('why a server does not believe us', () => {
      test('that it wants a certificate is told after the handshake of TLS 1.3', async () => {
        const upstream = await serve(server, { ca: ca.pem, requestCert: true, rejectUnauthorized: true });
        const told = errorDetail === 'none' ? 'connection_lost' : 'tls_client_certificate_required';
        await expectBoth({}, upstream.port, told);
      });

      test.each([
        ['tls_client_certificate_revoked', ALERT.certificateRevoked],
        ['tls_client_certificate_expired', ALERT.certificateExpired],
        ['tls_client_certificate_untrusted', ALERT.unknownCa],
        ['tls_client_certificate_refused', ALERT.badCertificate],
      ])('%s, by an alert of TLS 1.2', async (code, alert) => {
        const lenient = await serve(server, { requestCert: true, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
        const alerting = await startAlertingServer(lenient.port, alert);
        started.push(alerting);
        await expectBoth(identityOf(alice), alerting.port, errorDetail === 'none' ? 'connection_lost' : code);
      });

      test('a handshake that fails after the server was shown is about our certificate, where that is known', async () => {
        const lenient = await serve(server, { requestCert: true, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
        const alerting = await startAlertingServer(lenient.port, 40);
        started.push(alerting);
        const known = {
          alert: 'tls_client_certificate_refused',
          code: 'tls_handshake_failed',
          none: 'connection_lost',
        };
        await expectBoth(identityOf(alice), alerting.port, known[errorDetail]);
      });
    });
  });
}
