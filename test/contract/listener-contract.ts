import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { get } from 'node:https';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ListenerIdentity } from '../../adapters/node-compat/listener/identity.ts';
import type { Listener, ListenerOptions } from '../../adapters/node-compat/listener/listener.ts';
import type { EventFields } from '../../src/base/events.ts';
import type { ListenerCapabilities } from '../../src/tls/dialer.ts';
import { closeAfterEach } from '../support/closing.ts';
import { crossSign } from '../support/cross-sign.ts';
import { type CallersAsked, identityTrusting, listenerIdentity } from '../support/listener-identity.ts';
import { type MintedCa, type MintedCertificate, mintPki } from '../support/pki.ts';
import { recordEvents } from '../support/recorded-events.ts';

/** What the contract needs of a runtime. */
export interface ListenerSubject {
  readonly capabilities: ListenerCapabilities;
  openListener(options: ListenerOptions): Promise<Listener>;
}

/** A stream of events, held open by whoever asked for it. */
interface OpenStream {
  /** Resolves with the next event, once `say` was called. */
  next(): Promise<string>;
  readonly isOpen: boolean;
}

/** What a caller shows. */
type Caller = Pick<MintedCertificate, 'chainPem' | 'keyPem'>;

/** What every listener that asks callers for certificates must do with them, and with its own. */
export function listenerContract(name: string, subject: ListenerSubject): void {
  describe(`listener contract: ${name}`, () => {
    const closing = closeAfterEach();
    let serverCa: MintedCa;
    let root: MintedCa;
    let other: MintedCa;
    let server: MintedCertificate;
    let renewed: MintedCertificate;
    let alice: MintedCertificate;
    let foreign: MintedCertificate;

    beforeAll(async () => {
      const pki = await mintPki();
      [serverCa, root, other] = [await pki.ca('server root'), await pki.ca('caller root'), await pki.ca('other root')];
      const names = { cn: 'localhost', dns: ['localhost'], eku: 'server' } as const;
      [server, renewed] = [await serverCa.issue(names), await serverCa.issue(names)];
      alice = await root.issue({ cn: 'alice', eku: 'client' });
      foreign = await other.issue({ cn: 'foreign', eku: 'client' });
    });

    const trusting = (
      cas: readonly MintedCa[],
      { shown = server, ...asked }: CallersAsked & { shown?: MintedCertificate } = {},
    ) => identityTrusting(cas, shown, asked);

    async function listen(identity: ListenerIdentity) {
      const recorded = recordEvents();
      const refusals: EventFields['listener.refused'][] = [];
      const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
      const listener = await subject.openListener({
        host: '127.0.0.1',
        port: 0,
        identity,
        events: (name, fields) => {
          recorded.sink(name, fields);
          if (name === 'listener.refused') refusals.push(fields as EventFields['listener.refused']);
        },
        fetch: async (request) => {
          if (!request.url.endsWith('/stream')) return new Response('served');
          let mine: ReadableStreamDefaultController<Uint8Array>;
          const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
            streams.add((mine = controller));
            controller.enqueue(new TextEncoder().encode('data: begun\n\n'));
          };
          const cancel = (): void => void streams.delete(mine);
          return new Response(new ReadableStream({ start, cancel }), {
            headers: { 'content-type': 'text/event-stream' },
          });
        },
      });
      closing.push(() => listener.close(0));
      const say = (text: string): void => {
        for (const stream of streams) stream.enqueue(new TextEncoder().encode(`data: ${text}\n\n`));
      };
      return { listener, say, refusals, cuts: () => recorded.of('listener.cut') };
    }

    const optionsFor = ({ port }: Listener, caller?: Caller) => ({
      port,
      host: '127.0.0.1',
      family: 4,
      servername: 'localhost',
      ca: serverCa.pem,
      ...(caller && { cert: caller.chainPem, key: caller.keyPem }),
    });

    /** Whether a caller is served, and by which certificate. Under TLS 1.3 one that is not learns so after its handshake. */
    function visit(listener: Listener, caller?: Caller, options: ConnectionOptions = {}) {
      return new Promise<{ served: boolean; resumed: boolean; shown: string | undefined; session: Buffer | undefined }>(
        (resolve) => {
          const socket = connect({ ...optionsFor(listener, caller), ...options });
          let [text, resumed] = ['', false];
          let [shown, session]: [string | undefined, Buffer | undefined] = [undefined, undefined];
          socket.on('session', (ticket) => (session = ticket));
          socket.once('secureConnect', () => {
            resumed = socket.isSessionReused();
            shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
            socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
          });
          socket.on('data', (chunk) => (text += chunk.toString()));
          socket.on('error', () => undefined);
          socket.once('close', () => resolve({ served: text.includes('served'), resumed, shown, session }));
        },
      );
    }
    async function servedOf(listener: Listener, options: ConnectionOptions = {}): Promise<string[]> {
      const served: string[] = [];
      for (const [who, caller] of Object.entries({ nobody: undefined, alice, foreign }))
        if ((await visit(listener, caller, options)).served) served.push(who);
      return served;
    }

    async function streamOverHttp1(listener: Listener, caller: MintedCertificate): Promise<OpenStream> {
      const request = get({ ...optionsFor(listener, caller), path: '/stream', agent: false });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      closing.push(() => response.destroy());
      return follow(response);
    }
    async function streamOverHttp2(listener: Listener, caller: MintedCertificate): Promise<OpenStream> {
      const session = connectHttp2(`https://localhost:${listener.port}`, optionsFor(listener, caller));
      session.on('error', () => undefined);
      closing.push(() => session.destroy());
      const stream = session.request({ ':path': '/stream' });
      stream.on('error', () => undefined);
      await once(stream, 'response');
      return follow(stream);
    }

    const asked = subject.capabilities.requestCertificate;

    test.each(['TLSv1.2', 'TLSv1.3'] as const)(
      'callers are asked for certificates as configured, over %s',
      async (version) => {
        expect(asked).toBe(true);
        const options = { minVersion: version, maxVersion: version };
        const open = await listen(listenerIdentity(server));
        expect(await servedOf(open.listener, options)).toEqual(['nobody', 'alice', 'foreign']);
        const required = await listen(await trusting([root]));
        expect(await servedOf(required.listener, options)).toEqual(['alice']);
        const optional = await listen(await trusting([root], { isRequired: false }));
        expect(await servedOf(optional.listener, options)).toEqual(['nobody', 'alice']);
      },
    );

    test.each(['TLSv1.2', 'TLSv1.3'] as const)(
      'whoever is refused is told of, with the reason, over %s',
      async (version) => {
        const options = { minVersion: version, maxVersion: version };
        const hour = (hours: number) => new Date(Date.now() + hours * 3_600_000);
        const below = await root.intermediate('below');
        const issued = {
          certificate_expired: await root.issue({ cn: 'x', eku: 'client', notBefore: hour(-2), notAfter: hour(-1) }),
          certificate_not_yet_valid: await root.issue({ cn: 'x', eku: 'client', notBefore: hour(1) }),
          certificate_wrong_purpose: await root.issue({ cn: 'x', eku: 'server' }),
          certificate_untrusted: foreign,
          chain_too_deep: await below.issue({ cn: 'x', eku: 'client' }),
          key_not_pinned: await root.issue({ cn: 'x', eku: 'client' }),
        };
        const { key_not_pinned: _, ...pinned } = issued;
        const pins = [alice, ...Object.values(pinned)].map(({ certificate }) => certificate.facts.spkiPin);
        const ambitious = await (await mintPki()).ca('ambitious');
        const authority = { chainPem: await crossSign(root, ambitious, 'anything'), keyPem: ambitious.keyPem };
        for (const isRequired of [true, false]) {
          const rules = { pins, maxIntermediates: 0, isRequired };
          const { listener, refusals } = await listen(await trusting([root], rules));
          expect(await servedOf(listener, options)).toEqual(isRequired ? ['alice'] : ['nobody', 'alice']);
          refusals.length = 0;
          for (const caller of [...Object.values(issued), authority])
            expect((await visit(listener, caller, options)).served).toBe(false);
          expect(refusals.map(({ reason }) => reason)).toEqual([...Object.keys(issued), 'certificate_is_a_ca']);
          for (const { subject, address } of refusals)
            expect([subject, address]).toEqual([expect.stringContaining('CN='), '127.0.0.1']);
          refusals.length = 0;
          await visit(listener, undefined, options);
          expect(refusals).toEqual(isRequired ? [{ reason: 'certificate_missing', address: '127.0.0.1' }] : []);
        }
      },
    );

    test('whose key is pinned no longer is cut; the others notice nothing', async () => {
      const bob = await root.issue({ cn: 'bob', eku: 'client' });
      const pinning = (...callers: readonly MintedCertificate[]) =>
        trusting([root], { pins: callers.map(({ certificate }) => certificate.facts.spkiPin) });
      const { listener, cuts } = await listen(await pinning(alice, bob));
      const [gone, stays] = [await streamOverHttp1(listener, alice), await streamOverHttp2(listener, bob)];
      expect(await listener.present(await pinning(bob))).toBe(1);
      await expect.poll(() => gone.isOpen).toBe(false);
      expect([stays.isOpen, cuts()]).toEqual([true, [{ connections: 1, why: 'pin' }]]);
    });

    test('who comes to be too far below an authority is cut', async () => {
      const shown = { ...alice, chainPem: alice.chainPem + (await crossSign(other, root)) };
      const { listener, cuts } = await listen(await trusting([root], { maxIntermediates: 0 }));
      const gone = await streamOverHttp1(listener, shown);
      expect(await listener.present(await trusting([other], { maxIntermediates: 0 }))).toBe(1);
      await expect.poll(() => gone.isOpen).toBe(false);
      expect(cuts()).toEqual([{ connections: 1, why: 'trust' }]);
    });

    test('only the cipher suites it is told are spoken, where it says so', async () => {
      const [suite, ...others] = ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'];
      const { listener } = await listen({ ...listenerIdentity(server), ciphers: suite === undefined ? [] : [suite] });
      const options = { minVersion: 'TLSv1.3', ciphers: others.join(':') } as const;
      expect((await visit(listener, undefined, options)).served).toBe(!subject.capabilities.ciphers);
    });

    test('who is revoked is not let in, and who was let in before is cut', async () => {
      expect(subject.capabilities.crl).toBe(true);
      const bob = await root.issue({ cn: 'bob', eku: 'client' });
      const crls = [await root.crl([alice.serialNumber])];
      const { listener, cuts } = await listen(await trusting([root]));
      const [gone, stays] = [await streamOverHttp1(listener, alice), await streamOverHttp2(listener, bob)];
      expect(await listener.present(await trusting([root], { crls }))).toBe(1);
      await expect.poll(() => gone.isOpen).toBe(false);
      expect(stays.isOpen).toBe(true);
      expect(cuts()).toEqual([{ connections: 1, why: 'revoked' }]);
      expect(await servedOf(listener)).toEqual([]);
      expect((await visit(listener, bob)).served).toBe(true);
      const fresh = await listen(await trusting([root], { crls }));
      expect([(await visit(fresh.listener, alice)).served, (await visit(fresh.listener, bob)).served]).toEqual([
        false,
        true,
      ]);
    });

    test('certificate and client CAs are swapped under open streams, which notice nothing', async () => {
      expect(subject.capabilities.hotSwap).toBe(true);
      const { listener, say } = await listen(await trusting([root]));
      const streams = [await streamOverHttp1(listener, alice), await streamOverHttp2(listener, alice)];
      for (const stream of streams) expect(await stream.next()).toBe('begun');
      expect((await visit(listener, alice)).shown).toBe(server.certificate.facts.sha256);
      expect(await listener.present(await trusting([root, other], { shown: renewed }))).toBe(0);
      expect((await visit(listener, foreign)).shown).toBe(renewed.certificate.facts.sha256);
      expect(await servedOf(listener)).toEqual(['alice', 'foreign']);
      say('still here');
      for (const stream of streams) expect(await stream.next()).toBe('still here');
    });

    test('who loses the authority is cut, over HTTP/1.1 and HTTP/2; the others notice nothing', async () => {
      expect(subject.capabilities.peerCertificate).toBe(true);
      const { listener, say, cuts } = await listen(await trusting([root, other]));
      const gone = [await streamOverHttp1(listener, alice), await streamOverHttp2(listener, alice)];
      const stays = [await streamOverHttp1(listener, foreign), await streamOverHttp2(listener, foreign)];
      expect(await listener.present(await trusting([other]))).toBe(2);
      for (const stream of gone) await expect.poll(() => stream.isOpen).toBe(false);
      say('still here');
      for (const stream of stays) expect([await stream.next(), await stream.next()]).toEqual(['begun', 'still here']);
      expect(cuts()).toEqual([{ connections: 2, why: 'trust' }]);
    });

    test.each(['TLSv1.2', 'TLSv1.3'] as const)('no session is resumed, over %s', async (version) => {
      const options = { minVersion: version, maxVersion: version };
      const { listener } = await listen(await trusting([root]));
      const { session } = await visit(listener, alice, options);
      const again = await visit(listener, alice, { ...options, ...(session && { session }) });
      expect(again).toMatchObject({ served: true, resumed: false });
      await listener.present(await trusting([other]));
      expect((await visit(listener, alice, { ...options, ...(session && { session }) })).served).toBe(false);
    });
  });
}

/** Events as they come. */
function follow(stream: NodeJS.ReadableStream): OpenStream {
  const events: string[] = [];
  let [text, isOpen, wake] = ['', true, (): void => undefined];
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    events.push(...parts.map((part) => part.replace(/^data: /, '')));
    wake();
  });
  stream.on('error', () => undefined);
  stream.on('close', () => {
    isOpen = false;
    wake();
  });
  return {
    async next() {
      if (events.length === 0 && isOpen) await new Promise<void>((resolve) => (wake = resolve));
      const event = events.shift();
      if (event === undefined) throw new Error('the stream ended');
      return event;
    },
    get isOpen() {
      return isOpen;
    },
  };
}
