import { execFile } from 'node:child_process';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import type { Channel } from '../../src/tls/dialer.ts';
import type { TlsMaterial } from '../../src/tls/profile.ts';
import { identityOf } from '../support/open-test-profile.ts';
import { keyForm, type MintedCa, type MintedCertificate, mintPki } from '../support/pki.ts';
import { recordEvents } from '../support/recorded-events.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { startUpstream, type TestUpstream } from '../support/tls-upstream.ts';
import type { DialerSubject } from './dialer-contract.ts';

/** What the contract needs beside a dialer. */
export interface TrapSubject extends DialerSubject {
  /** What came of each dial in a process of its own, with these variables in its environment. */
  dialElsewhere(dials: readonly Dial[], environment: Readonly<Record<string, string>>): Promise<readonly string[]>;
}

type Dial = readonly [origin: string, material: TlsMaterial];

/** `dialElsewhere` by a command that runs test/support/dial-program.ts. */
export function dialBy(
  [program, ...args]: readonly [string, ...string[]],
  adapter: string,
): TrapSubject['dialElsewhere'] {
  return (dials, environment) =>
    new Promise((resolve, reject) => {
      const options = { env: { ...process.env, ...environment } };
      execFile(program, [...args, adapter, JSON.stringify({ dials })], options, (error, stdout) => {
        if (error) reject(error);
        else resolve(JSON.parse(stdout) as string[]);
      });
    });
}

/** Ways in which one runtime or another connects anonymously, or trusts too much, without a word; none may be left. */
export function silentTrapsContract(name: string, subject: TrapSubject): void {
  describe(`silent traps: ${name}`, () => {
    let ca: MintedCa;
    let other: MintedCa;
    let server: MintedCertificate;
    let alice: MintedCertificate;
    let bob: MintedCertificate;
    const started: TestUpstream[] = [];
    const events = recordEvents();
    const dialer = subject.createDialer({ events: events.sink, connectTimeoutMs: 20_000 });

    beforeAll(async () => {
      const pki = await mintPki();
      [ca, other] = [await pki.ca('trap root'), await pki.ca('other root')];
      server = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
      alice = await ca.issue({ cn: 'alice', eku: 'client' });
      bob = await ca.issue({ cn: 'bob', eku: 'client' });
    });
    afterAll(async () => {
      for (const upstream of started) await upstream.close();
      await dialer.close();
    });

    const demanding = (isRequired = true) => ({ ca: ca.pem, requestCert: true, rejectUnauthorized: isRequired });
    async function serve({ chainPem, keyPem }: MintedCertificate, tls: object = {}, handle?: RequestListener) {
      const upstream = await startUpstream({ tls: { cert: chainPem, key: keyPem, ...tls }, ...(handle && { handle }) });
      started.push(upstream);
      return upstream;
    }
    async function withChannel<T>(material: TlsMaterial, origin: string, work: (channel: Channel) => Promise<T>) {
      const channel = await dialer.open(await subject.openProfile(material), origin);
      try {
        return await work(channel);
      } finally {
        channel.destroy(new GatewayError('channel_closed', 'the test is over'));
      }
    }
    const get = async (channel: Channel, path = '/') =>
      (await channel.send({ method: 'GET', path, headers: {} })).text(100);
    const call = (material: TlsMaterial, upstream: TestUpstream) => withChannel(material, upstream.origin(), get);

    test('half an identity is no anonymous connection: it is whole, or refused', async () => {
      const { clientCertificate, clientKey } = identityOf(alice);
      const trusted = { caCertificate: ca.pem };
      const encrypted = new Secret(keyForm(alice.keyPem, { passphrase: 'pass' }));
      for (const [material, code] of [
        [{ clientCertificate }, 'key_missing'],
        [{ clientKey }, 'certificate_missing'],
        [{ clientCertificate, clientKey: new Secret(bob.keyPem) }, 'key_mismatch'],
        [{ clientCertificate, clientKey: encrypted }, 'key_passphrase_wrong'],
        [{ clientCertificate, clientKey: encrypted, clientKeyPassword: new Secret('no') }, 'key_passphrase_wrong'],
        [
          {
            clientCertificate,
            clientKey: new Secret('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
          },
          'key_unreadable',
        ],
      ] as const)
        await expect(subject.openProfile({ ...trusted, ...material })).rejects.toMatchObject({ code });
      const asking = await serve(server, demanding(false));
      await call({ ...trusted, clientCertificate: alice.bundlePem }, asking);
      expect(asking.handshakes).toEqual(['alice']);
    });

    test('a CA that cannot be read is refused, and no other set takes its place', async () => {
      const garbage = `-----BEGIN CERTIFICATE-----\n${Buffer.from('garbage').toString('base64')}\n-----END CERTIFICATE-----\n`;
      for (const caCertificate of ['garbage', '', garbage, server.keyPem, garbage + ca.pem])
        for (const caMode of ['only', 'add'] as const)
          await expect(subject.openProfile({ caCertificate, caMode })).rejects.toMatchObject({ code: 'ca_unreadable' });
    });

    describe('the environment', () => {
      let folder: Awaited<ReturnType<typeof makeTempFolder>>;
      let file: string;
      beforeAll(async () => {
        folder = await makeTempFolder();
        file = join(folder.path, 'ca.pem');
        await writeFile(file, ca.pem);
      });
      afterAll(() => folder.remove());

      test('a CA of the default set is not trusted where another one is to be alone', async () => {
        const revoked = await ca.issue({ cn: 'revoked', dns: ['localhost'] });
        const [ours, theirs] = [(await serve(server)).origin(), (await serve(revoked)).origin()];
        const crl = await ca.crl([revoked.serialNumber]);
        const dials: Dial[] = [
          [ours, {}],
          [ours, { caCertificate: other.pem, caMode: 'add' }],
          [ours, { caCertificate: other.pem }],
          [ours, { caCertificate: other.pem, pins: [server.certificate.facts.spkiPin] }],
          [ours, { crl }],
          [theirs, { crl }],
        ];
        // each runtime reads one of them
        const environment = { NODE_EXTRA_CA_CERTS: file, DENO_CERT: file };
        expect(await subject.dialElsewhere(dials, environment)).toEqual([
          'ok',
          'ok',
          'tls_unknown_ca',
          'tls_unknown_ca',
          'ok',
          'tls_server_revoked',
        ]);
      });

      test('NODE_TLS_REJECT_UNAUTHORIZED=0 turns nothing off', async () => {
        const elsewhere = (await serve(await ca.issue({ cn: 'x', dns: ['elsewhere'] }))).origin();
        const origin = (await serve(server)).origin();
        const dials: Dial[] = [
          [origin, {}],
          [origin, { caCertificate: other.pem }],
          [elsewhere, { caCertificate: ca.pem }],
          [origin, { caCertificate: ca.pem }],
        ];
        expect(await subject.dialElsewhere(dials, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toEqual([
          'tls_unknown_ca',
          'tls_unknown_ca',
          'tls_server_wrong_host',
          'ok',
        ]);
      });
    });

    test('no option is ignored: lowest version, server name, name check, verification, pins, revocation', async () => {
      const trusted = { caCertificate: ca.pem };
      const old = await serve(server, { maxVersion: 'TLSv1.2' });
      const named = await serve(await ca.issue({ cn: 'n', dns: ['mcp.internal'] }));
      const pins = [alice.certificate.facts.spkiPin];
      const crl = await ca.crl([server.serialNumber]);
      for (const [upstream, material, code] of [
        [old, { ...trusted, minVersion: 'TLSv1.3' }, 'tls_version_unsupported'],
        [named, trusted, 'tls_server_wrong_host'],
        [named, { ...trusted, serverName: 'other.internal' }, 'tls_server_wrong_host'],
        [named, { caCertificate: other.pem, checkHostname: false }, 'tls_unknown_ca'],
        [old, { ...trusted, pins }, 'tls_pin_mismatch'],
        [old, { verify: false, pins }, 'tls_pin_mismatch'],
        [old, { ...trusted, crl }, 'tls_server_revoked'],
      ] as const)
        await expect(call(material, upstream), JSON.stringify(material)).rejects.toMatchObject({ code });
      for (const [upstream, material] of [
        [old, trusted],
        [named, { ...trusted, serverName: 'mcp.internal' }],
        [named, { ...trusted, checkHostname: false }],
        [named, { caCertificate: other.pem, verify: false }],
      ] as const)
        expect(await call(material, upstream)).toBe('ok');
    });

    test('a redirect leads nobody to another server, and our certificate neither', async () => {
      const target = await serve(server, demanding());
      const redirect: RequestListener = (_, response) =>
        void response.writeHead(308, { location: `${target.origin()}/stolen` }).end();
      const redirecting = await serve(server, demanding(), redirect);
      await withChannel({ caCertificate: ca.pem, ...identityOf(alice) }, redirecting.origin(), async (channel) => {
        const response = await channel.send({ method: 'POST', path: '/', headers: {}, body: '{}' });
        expect(response.status).toBe(308);
        await response.text(10);
      });
      expect([redirecting.handshakes, target.connections]).toEqual([['alice'], 0]);
    });

    test('two clients of one origin share neither identity, nor trust, nor connections', async () => {
      const asking = await serve(server, demanding(false));
      const trusted = { caCertificate: ca.pem };
      const as = async (material: TlsMaterial, path: string) =>
        withChannel(material, asking.origin(), (channel) => get(channel, path));
      await withChannel({ ...trusted, ...identityOf(alice) }, asking.origin(), async (first) => {
        await get(first, '/alice');
        // with the first one's connection idle, and its context and sessions at hand
        await as({ ...trusted, ...identityOf(bob) }, '/bob');
        await as(trusted, '/nobody');
        await expect(as({ caCertificate: other.pem, ...identityOf(alice) }, '/stolen')).rejects.toMatchObject({
          code: 'tls_unknown_ca',
        });
        await get(first, '/alice');
      });
      const seen = asking.requests.map(({ path, client }) => [path, client]);
      expect(seen).toEqual([
        ['/alice', 'alice'],
        ['/bob', 'bob'],
        ['/nobody', undefined],
        ['/alice', 'alice'],
      ]);
    });

    test.each(['TLSv1.2', 'TLSv1.3'])('a session of one profile is resumed under no other, %s', async (maxVersion) => {
      const asking = await serve(server, { ...demanding(false), maxVersion });
      const trusted = { caCertificate: ca.pem };
      await withChannel({ ...trusted, ...identityOf(alice) }, asking.origin(), async (channel) => {
        for (let round = 0; round < 3; round++) await Promise.all([get(channel), get(channel)]);
      });
      for (const [material, who] of [
        [{ ...trusted, ...identityOf(bob) }, 'bob'],
        [trusted, undefined],
        [{ ...trusted, checkHostname: false, ...identityOf(alice) }, 'alice'],
      ] as const) {
        const before = events.of('handshake.finished').length;
        await call(material, asking);
        const [handshake] = events.of('handshake.finished').slice(before);
        expect(handshake).toMatchObject({ outcome: 'ok', resumed: false });
        expect(asking.requests.at(-1)?.client).toBe(who);
      }
      for (const material of [{ caCertificate: other.pem }, { ...trusted, crl: await ca.crl([server.serialNumber]) }])
        await expect(call(material, asking)).rejects.toMatchObject({ facts: { stage: 'tls' } });
    });
  });
}
