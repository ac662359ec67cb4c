import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventSink } from '../../src/base/events.ts';
import { GatewayError } from '../../src/base/errors.ts';
import type { Channel, ChannelRequest, Dialer } from '../../src/tls/dialer.ts';
import type { TlsMaterial, TlsProfile } from '../../src/tls/profile.ts';
import { identityOf } from '../support/open-test-profile.ts';
import { type MintedCa, type MintedCertificate, mintPki } from '../support/pki.ts';
import { recordEvents } from '../support/recorded-events.ts';
import { startUpstream, type TestUpstream } from '../support/tls-upstream.ts';

/** What the contract needs of a runtime. */
export interface DialerSubject {
  createDialer(options: { readonly events: EventSink; readonly connectTimeoutMs: number }): Dialer;
  openProfile(material: TlsMaterial): Promise<TlsProfile>;
  /** How often a second connection resumes the session of the first where it may, over TLS 1.3. */
  readonly resumes: 'always' | 'sometimes' | 'never';
}

/** Holds what was seen against what a runtime does: whether any of these connections was resumed. */
export function expectResumption({ resumes }: DialerSubject, resumed: readonly (boolean | undefined)[]): void {
  const any = resumed.includes(true);
  expect(any).toBe(resumes === 'sometimes' ? any : resumes === 'always');
}

const GET: ChannelRequest = { method: 'GET', path: '/', headers: {} };

/** What every dialer must do, whichever runtime it dials with; a runtime is one test file that calls this. */
export function dialerContract(name: string, subject: DialerSubject): void {
  describe(`dialer contract: ${name}`, () => {
    let ca: MintedCa;
    let server: MintedCertificate;
    let alice: MintedCertificate;
    let bob: MintedCertificate;
    let strict: TestUpstream;
    const events = recordEvents();
    const dialer = subject.createDialer({ events: events.sink, connectTimeoutMs: 20_000 });

    beforeAll(async () => {
      const pki = await mintPki();
      ca = await pki.ca('contract root');
      server = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
      alice = await ca.issue({ cn: 'alice', eku: 'client' });
      bob = await ca.issue({ cn: 'bob', eku: 'client' });
      strict = await startUpstream({ tls: strictTls(server) });
    });
    afterAll(async () => {
      await strict.close();
      await dialer.close();
    });

    function strictTls({ chainPem, keyPem }: MintedCertificate): object {
      return { cert: chainPem, key: keyPem, ca: ca.pem, requestCert: true, rejectUnauthorized: true };
    }

    async function withChannel(
      material: TlsMaterial | undefined,
      origin: string,
      work: (channel: Channel) => Promise<void>,
    ): Promise<void> {
      const channel = await dialer.open(material && (await subject.openProfile(material)), origin);
      try {
        await work(channel);
      } finally {
        channel.destroy(new GatewayError('channel_closed', 'the test is over'));
      }
    }

    test('presents the configured certificate on every request', async () => {
      await withChannel({ caCertificate: ca.pem, ...identityOf(alice) }, strict.origin(), async (channel) => {
        for (const path of ['/a', '/b?c=d']) {
          const response = await channel.send({ method: 'POST', path, headers: { 'x-one': '1' }, body: '{"ä":1}' });
          expect(response.status).toBe(200);
          expect(await response.text(100)).toBe('ok');
        }
        expect(channel.active).toBe(0);
      });
      const seen = strict.requests.filter(({ client }) => client === 'alice');
      expect(seen.map(({ path }) => path)).toEqual(['/a', '/b?c=d']);
      expect(seen[0]).toMatchObject({ method: 'POST', body: '{"ä":1}', headers: { 'x-one': '1' } });
      expect(seen[0]?.headers).not.toHaveProperty('accept-encoding');
    });

    test('never mixes two identities at one origin', async () => {
      await withChannel({ caCertificate: ca.pem, ...identityOf(alice) }, strict.origin(), (asAlice) =>
        withChannel({ caCertificate: ca.pem, ...identityOf(bob) }, strict.origin(), async (asBob) => {
          const calls = Array.from({ length: 40 }, async (_, index) => {
            const [channel, who] = index % 2 === 0 ? [asAlice, 'alice'] : [asBob, 'bob'];
            const response = await channel.send({ ...GET, path: `/mixed/${who}` });
            await response.text(10);
          });
          await Promise.all(calls);
        }),
      );
      const mixed = strict.requests.filter(({ path }) => path.startsWith('/mixed/'));
      expect(mixed).toHaveLength(40);
      for (const { path, client } of mixed) expect(path).toBe(`/mixed/${client}`);
    });

    test('a plain origin involves no TLS at all', async () => {
      const plain = await startUpstream();
      const before = events.count('context.built') + events.count('handshake.finished');
      await withChannel(undefined, plain.origin(), async (channel) => {
        expect(await (await channel.send(GET)).text(10)).toBe('ok');
        expect(channel.fingerprint).toBeUndefined();
      });
      await plain.close();
      expect(events.count('context.built') + events.count('handshake.finished')).toBe(before);
      await expect(
        subject.openProfile({}).then((profile) => dialer.open(profile, plain.origin())),
      ).rejects.toMatchObject({ code: 'config_invalid' });
      await expect(dialer.open(undefined, strict.origin())).rejects.toMatchObject({ code: 'config_invalid' });
    });

    test('does not follow redirects', async () => {
      const target = await startUpstream();
      const handle: RequestListener = (_, response) => {
        response.writeHead(307, { location: `${target.origin()}/stolen` }).end();
      };
      const redirecting = await startUpstream({ tls: strictTls(server), handle });
      await withChannel({ caCertificate: ca.pem, ...identityOf(alice) }, redirecting.origin(), async (channel) => {
        const response = await channel.send({ ...GET, method: 'POST', body: '{}' });
        expect(response.status).toBe(307);
        expect(response.headers['location']).toContain('/stolen');
        await response.text(10);
      });
      expect(target.requests).toEqual([]);
      await Promise.all([target.close(), redirecting.close()]);
    });
  });
}
