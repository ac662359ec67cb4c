import { randomBytes } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/base/errors.ts';
import { parseDerCertificate } from '../../src/pki/parse.ts';
import type { Channel, ChannelRequest } from '../../src/tls/dialer.ts';
import { type MintedCa, type MintedCertificate, mintPki, type TestPki } from '../support/pki.ts';
import { startRawServer } from '../support/raw-servers.ts';
import { recordEvents } from '../support/recorded-events.ts';
import { startUpstream, type TestUpstream } from '../support/tls-upstream.ts';
import { expectResumption, type DialerSubject } from './dialer-contract.ts';

const GET: ChannelRequest = { method: 'GET', path: '/', headers: {} };
const withdrawn = new GatewayError('identity_withdrawn', 'withdrawn');
const over = new GatewayError('channel_closed', 'the test is over');

/** What a dialer must remember of the other side, so that trust can be taken back from open connections. */
export function dialerWithdrawalContract(name: string, subject: DialerSubject): void {
  describe(`dialer withdrawal contract: ${name}`, () => {
    let pki: TestPki;
    let old: MintedCa;
    let renewed: MintedCa;
    let first: MintedCertificate;
    let second: MintedCertificate;
    const events = recordEvents();
    const dialer = subject.createDialer({ events: events.sink, connectTimeoutMs: 20_000 });
    const opened: { readonly channel: Channel; readonly upstream: TestUpstream }[] = [];
    const held: ServerResponse[] = [];

    beforeAll(async () => {
      pki = await mintPki();
      old = await pki.ca('old root');
      renewed = await pki.ca('new root');
      first = await (await old.intermediate('between')).issue({ cn: 'first', dns: ['localhost'] });
      second = await renewed.issue({ cn: 'second', dns: ['localhost'] });
    });
    afterEach(async () => {
      held.length = 0;
      for (const { channel, upstream } of opened.splice(0)) {
        channel.destroy(over);
        await upstream.close();
      }
    });
    afterAll(() => dialer.close());

    /** Begins an answer to `/hold` and leaves it open; says `close` to what it answers at `/last`. */
    const handle: RequestListener = (request, response) => {
      if (request.url === '/last') response.setHeader('connection', 'close');
      if (request.url !== '/hold') return void response.end('ok');
      held.push(response);
      response.write('begun ');
    };

    /** A server that keeps its session tickets whatever certificate it shows, and a channel that believes both roots. */
    async function open(version: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') {
      const ticketKeys = randomBytes(48);
      const tlsOf = ({ chainPem, keyPem }: MintedCertificate) => ({
        cert: chainPem,
        key: keyPem,
        maxVersion: version,
        ticketKeys,
      });
      const upstream = await startUpstream({ tls: tlsOf(first), handle });
      const profile = await subject.openProfile({ caCertificate: old.pem + renewed.pem });
      const channel = await dialer.open(profile, upstream.origin());
      opened.push({ channel, upstream });
      return { channel, upstream, show: (shown: MintedCertificate) => upstream.replaceTls(tlsOf(shown)) };
    }

    const get = async (channel: Channel, path = '/') => (await channel.send({ ...GET, path })).text(100);
    const hold = (channel: Channel, group?: object) => channel.send({ ...GET, path: '/hold', group });
    const subjectsOf = async (channel: Channel) =>
      Promise.all(
        channel.peers().map(async (chain) => {
          const certificates = await Promise.all(chain.map(parseDerCertificate));
          return certificates.map(({ facts }) => facts.subject);
        }),
      );
    const resumptions = (channel: Channel) =>
      events.of('handshake.finished').flatMap(({ origin, resumed }) => (origin === channel.origin ? [resumed] : []));

    test('opens connections ahead of requests, which then open none', async () => {
      const { channel, upstream } = await open();
      await channel.warm(3);
      expect([upstream.connections, channel.peers().length]).toEqual([3, 1]);
      await Promise.all([hold(channel), hold(channel), hold(channel)]);
      await channel.warm(3);
      expect(upstream.connections).toBe(3);
    });

    test('closes what it opened ahead when it drains, and opens no more', async () => {
      const { channel, upstream } = await open();
      await channel.warm(2);
      await channel.drain(0);
      await channel.warm(2);
      await expect.poll(() => upstream.openConnections).toBe(0);
      expect(upstream.connections).toBe(2);
    });

    test('resolves also where nothing can be opened', async () => {
      const { channel, upstream } = await open();
      await upstream.close();
      await channel.warm(2);
      await expect(get(channel)).rejects.toMatchObject({ code: 'tcp_refused' });
    });

    test('tells the chains of open connections, each once', async () => {
      const { channel, show } = await open();
      expect(channel.peers()).toEqual([]);
      await Promise.all([hold(channel), hold(channel)]);
      expect(await subjectsOf(channel)).toEqual([['CN=first', 'CN=between']]);
      show(second);
      // a session would bring the first one back
      channel.cut([], withdrawn);
      await hold(channel);
      expect(await subjectsOf(channel)).toEqual([['CN=first', 'CN=between'], ['CN=second']]);
    });

    // a session of TLS 1.2 may be told before the server was accepted, and is then not kept
    const expectResumed = (version: string, resumed: readonly (boolean | undefined)[]): void => {
      if (version === 'TLSv1.3') expectResumption(subject, resumed);
    };

    test.each(['TLSv1.3', 'TLSv1.2'] as const)(
      'a connection shows the chain of its full handshake, %s',
      async (version) => {
        const { channel, show } = await open(version);
        for (let round = 0; round < 2; round++) await get(channel, '/last');
        show(second);
        await hold(channel);
        const last = resumptions(channel).at(-1) ?? false;
        expectResumed(version, [last]);
        expect(await subjectsOf(channel)).toEqual([last ? ['CN=first', 'CN=between'] : ['CN=second']]);
      },
    );

    test.each(['TLSv1.3', 'TLSv1.2'] as const)(
      'cuts the connections of a peer, resumed ones too, and leaves the others, %s',
      async (version) => {
        const { channel, show } = await open(version);
        await get(channel, '/last');
        const responses = [await hold(channel), await hold(channel)];
        expectResumed(version, resumptions(channel));
        const [chain] = channel.peers();
        if (chain === undefined) throw new TypeError('no peer');
        channel.cut([], withdrawn);
        show(second);
        const stays = await hold(channel);
        const cut = channel.cut([chain], withdrawn);
        expect(cut).toEqual({ connections: 2, requests: 2 });
        for (const response of responses) await expect(response.text(100)).rejects.toBe(withdrawn);
        held.at(-1)?.end('done');
        expect(await stays.text(100)).toBe('begun done');
        expect(await get(channel)).toBe('ok');
        expect(await subjectsOf(channel)).toEqual([['CN=second']]);
      },
    );

    test('resumes no session of before a cut', async () => {
      const { channel } = await open();
      await get(channel, '/last');
      await get(channel, '/last');
      channel.cut([], withdrawn);
      await get(channel, '/last');
      expect(resumptions(channel).at(-1)).toBe(false);
    });

    test('an idle connection of the peer is cut as well', async () => {
      const { channel, upstream } = await open();
      await get(channel);
      expect(channel.cut(channel.peers(), withdrawn)).toEqual({ connections: 1, requests: 0 });
      await expect.poll(() => channel.peers()).toEqual([]);
      expect(await get(channel)).toBe('ok');
      expect(upstream.connections).toBe(2);
    });

    test('a channel that drains opens no connection: what has none is refused unsent, the rest goes on', async () => {
      const { channel, upstream } = await open();
      const goesOn = await hold(channel);
      const waiting = get(channel, '/never');
      const drained = channel.drain(60_000);
      await expect(waiting).rejects.toMatchObject({ code: 'channel_closed' });
      held[0]?.end('done');
      expect(await goesOn.text(100)).toBe('begun done');
      expect(await drained).toBe(0);
      expect(upstream.requests.map(({ path }) => path)).toEqual(['/hold']);
    });

    test('an attempt to connect that hangs does not hold up a drain', async () => {
      const arrived = Promise.withResolvers<void>();
      const silent = await startRawServer(() => arrived.resolve());
      const channel = await dialer.open(await subject.openProfile({}), `https://localhost:${silent.port}`);
      const waiting = get(channel);
      await arrived.promise;
      const drained = channel.drain(Number.POSITIVE_INFINITY);
      await expect(waiting).rejects.toMatchObject({ code: 'channel_closed' });
      expect(await drained).toBe(0);
      await silent.close();
    });

    test('ends the requests of one group', async () => {
      const { channel } = await open();
      const [mine, others] = [{}, {}];
      const ended = await hold(channel, mine);
      const stays = await hold(channel, others);
      expect(channel.end(mine, withdrawn)).toBe(1);
      await expect(ended.text(100)).rejects.toBe(withdrawn);
      held[1]?.end('done');
      expect(await stays.text(100)).toBe('begun done');
      expect(channel.end(mine, withdrawn)).toBe(0);
    });

    test('says how much it destroyed', async () => {
      const { channel } = await open();
      const response = await hold(channel);
      await hold(channel);
      expect(channel.destroy(withdrawn)).toEqual({ connections: 2, requests: 2 });
      expect(channel.destroy(over)).toEqual({ connections: 0, requests: 0 });
      await expect(response.text(100)).rejects.toBe(withdrawn);
    });

    test('without TLS nobody showed anything', async () => {
      const upstream = await startUpstream({ handle });
      const channel = await dialer.open(undefined, upstream.origin());
      opened.push({ channel, upstream });
      await hold(channel);
      expect(channel.peers()).toEqual([]);
      expect(channel.cut([[]], withdrawn)).toEqual({ connections: 0, requests: 0 });
    });
  });
}
