import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import type { Channel, Dialer, DialerCapabilities } from '../../src/tls/dialer.ts';
import type { TlsMaterial } from '../../src/tls/profile.ts';
import { identityOf } from '../support/open-test-profile.ts';
import { keyForm, type MintedCa, type MintedCertificate, mintPki } from '../support/pki.ts';
import { startUpstream, type TestUpstream } from '../support/tls-upstream.ts';
import type { DialerSubject } from './dialer-contract.ts';

/** What an upstream asks for that takes a capability, and what shows that it was honoured. */
interface Case {
  readonly material: TlsMaterial;
  readonly honoured: () => Promise<void>;
}

type Switch = {
  [Name in keyof DialerCapabilities]: DialerCapabilities[Name] extends boolean ? Name : never;
}[keyof DialerCapabilities];

/** Each capability that is declared is exercised, each that is not is refused by its name when it is asked for. */
export function dialerCapabilityContract(name: string, subject: DialerSubject): void {
  describe(`dialer capabilities: ${name}`, () => {
    let ca: MintedCa;
    let other: MintedCa;
    let server: MintedCertificate;
    let alice: MintedCertificate;
    const started: TestUpstream[] = [];
    const dialer: Dialer = subject.createDialer({ events: () => undefined, connectTimeoutMs: 20_000 });

    beforeAll(async () => {
      const pki = await mintPki();
      [ca, other] = [await pki.ca('capability root'), await pki.ca('other root')];
      server = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
      alice = await ca.issue({ cn: 'alice', eku: 'client' });
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
    const strict = () => serve(server, { ca: ca.pem, requestCert: true, rejectUnauthorized: true });

    async function withChannel<T>(
      material: TlsMaterial,
      upstream: TestUpstream,
      work: (channel: Channel) => Promise<T>,
    ) {
      const channel = await dialer.open(await subject.openProfile(material), upstream.origin());
      try {
        return await work(channel);
      } finally {
        channel.destroy(new GatewayError('channel_closed', 'the test is over'));
      }
    }
    const call = (material: TlsMaterial, upstream: TestUpstream): Promise<string> =>
      withChannel(material, upstream, async (channel) =>
        (await channel.send({ method: 'GET', path: '/', headers: {} })).text(100),
      );
    const refused = (material: TlsMaterial, upstream: TestUpstream, code: string) =>
      expect(call(material, upstream)).rejects.toMatchObject({ code });
    const presents = async (material: TlsMaterial) => {
      const upstream = await strict();
      expect(await call(material, upstream)).toBe('ok');
      expect(upstream.handshakes).toEqual(['alice']);
    };

    /** What may be asked for at registration. */
    const askedFor = (): Readonly<Partial<Record<Switch, Case>>> => {
      const trusted = { caCertificate: ca.pem };
      const identity = { ...trusted, ...identityOf(alice) };
      const encrypted = {
        ...identity,
        clientKey: new Secret(keyForm(alice.keyPem, { passphrase: 'pass' })),
        clientKeyPassword: new Secret('pass'),
      };
      const elsewhere = { cn: 'elsewhere', dns: ['elsewhere'] };
      const added = { ...trusted, caMode: 'add' } as const;
      return {
        caOnly: {
          material: trusted,
          honoured: async () => {
            expect(await call(trusted, await serve(server))).toBe('ok');
            await refused({ caCertificate: other.pem }, await serve(server), 'tls_unknown_ca');
          },
        },
        caAdd: {
          material: added,
          honoured: async () => {
            expect(await call(added, await serve(server))).toBe('ok');
            await refused({}, await serve(server), 'tls_unknown_ca');
          },
        },
        clientCertificate: { material: identity, honoured: () => presents(identity) },
        dynamicIdentity: { material: identity, honoured: () => presents(identity) },
        binding: {
          material: { clientBinding: 'CERTIFICATE' },
          honoured: async () => expect(dialer.bindings).toBeDefined(),
        },
        encryptedKey: { material: encrypted, honoured: () => presents(encrypted) },
        serverName: {
          material: { serverName: 'elsewhere' },
          honoured: async () => {
            const upstream = await serve(await ca.issue(elsewhere));
            expect(await call({ ...trusted, serverName: 'elsewhere' }, upstream)).toBe('ok');
            await refused({ ...trusted, serverName: 'nowhere' }, upstream, 'tls_server_wrong_host');
          },
        },
        skipHostname: {
          material: { checkHostname: false },
          honoured: async () => {
            const upstream = await serve(await ca.issue(elsewhere));
            expect(await call({ ...trusted, checkHostname: false }, upstream)).toBe('ok');
            await refused({ caCertificate: other.pem, checkHostname: false }, upstream, 'tls_unknown_ca');
          },
        },
        skipVerify: {
          material: { verify: false },
          honoured: async () => {
            const upstream = await serve(await other.issue(elsewhere));
            expect(await call({ ...trusted, verify: false }, upstream)).toBe('ok');
            await refused(trusted, upstream, 'tls_unknown_ca');
          },
        },
        minVersion: {
          material: { minVersion: 'TLSv1.3' },
          honoured: async () => {
            const upstream = await serve(server, { maxVersion: 'TLSv1.2' });
            await refused({ ...trusted, minVersion: 'TLSv1.3' }, upstream, 'tls_version_unsupported');
            expect(await call(trusted, upstream)).toBe('ok');
          },
        },
        crl: {
          material: { ...trusted, crl: '' },
          honoured: async () => {
            const revoked = await ca.issue({ cn: 'revoked', dns: ['localhost'] });
            const listed = { ...trusted, crl: await ca.crl([revoked.serialNumber]) };
            await refused(listed, await serve(revoked), 'tls_server_revoked');
            expect(await call(listed, await serve(server))).toBe('ok');
          },
        },
        pins: {
          material: { pins: [server.certificate.facts.spkiPin] },
          honoured: async () => {
            expect(await call({ ...trusted, pins: [server.certificate.facts.spkiPin] }, await serve(server))).toBe(
              'ok',
            );
            const pins = [alice.certificate.facts.spkiPin];
            await refused({ ...trusted, pins }, await serve(server), 'tls_pin_mismatch');
          },
        },
      };
    };

    const NAMES = [
      'caOnly',
      'caAdd',
      'clientCertificate',
      'dynamicIdentity',
      'binding',
      'encryptedKey',
      'serverName',
      'skipHostname',
      'skipVerify',
      'minVersion',
      'crl',
      'pins',
    ] as const;

    const { capabilities } = dialer;
    test.each(NAMES.filter((one) => capabilities[one]))('%s is honoured', async (capability) => {
      await askedFor()[capability]?.honoured();
      expect.hasAssertions();
    });

    test.each(NAMES.filter((one) => !capabilities[one]))('%s is refused by name', async (capability) => {
      const { material } = askedFor()[capability] ?? {};
      await expect(subject.openProfile(material ?? {})).rejects.toMatchObject({
        code: 'capability_unsupported',
        details: { capabilities: expect.arrayContaining([capability]) as string[] },
      });
    });

    test('the certificate of a peer is told as declared', async () => {
      await withChannel({ caCertificate: ca.pem }, await serve(server), async (channel) => {
        await (await channel.send({ method: 'GET', path: '/', headers: {} })).text(10);
        const leaves = channel.peers().map(([leaf]) => leaf && Buffer.from(leaf));
        expect(leaves).toEqual(capabilities.peerCertificate ? [Buffer.from(server.certificate.der)] : []);
      });
    });

    test('HTTP/2 is offered as declared', async () => {
      const upstream = await serve(server, { ALPNProtocols: ['h2', 'http/1.1'] });
      const profile = await subject.openProfile({ caCertificate: ca.pem });
      const report = await dialer.examine(profile, upstream.origin(), new AbortController().signal);
      expect(report).toMatchObject({ ok: true, alpn: capabilities.http2 ? 'h2' : 'http/1.1' });
    });
  });
}
