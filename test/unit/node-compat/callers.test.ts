/** Certificates of callers at the listener, whatever is served behind it; the process around it is another story. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { beforeAll, expect, test } from 'vitest';
import { RUNTIME } from '#runtime';
import { openListener } from '../../../adapters/node-compat/listener/listener.ts';
import type { Listener } from '../../../adapters/node-compat/listener/listener.ts';
import type { ListenerIdentity } from '../../../adapters/node-compat/listener/identity.ts';
import { closeAfterEach } from '../../support/closing.ts';
import { identityTrusting, listenerIdentity } from '../../support/listener-identity.ts';
import type { CallersAsked } from '../../support/listener-identity.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../../support/pki.ts';
import { startRawServer } from '../../support/raw-servers.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import { openSocket } from '../../support/web-socket.ts';

const HOUR_MS = 3_600_000;
const closing = closeAfterEach();
let server: MintedCertificate;
let serverCa: MintedCa;
let root: MintedCa;
let other: MintedCa;
let intermediate: MintedCa;
/** Of `root`, of the intermediate below it, and of `other`. */
let direct: MintedCertificate;
let below: MintedCertificate;
let foreign: MintedCertificate;
beforeAll(async () => {
  const pki = await mintPki();
  [serverCa, root, other] = [await pki.ca('Server CA'), await pki.ca('Root'), await pki.ca('Other')];
  intermediate = await root.intermediate('Intermediate');
  server = await serverCa.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' });
  direct = await root.issue({ cn: 'direct', eku: 'client' });
  below = await intermediate.issue({ cn: 'below', eku: 'client' });
  foreign = await other.issue({ cn: 'foreign', eku: 'client' });
});

/** An identity that lets in callers of these CAs. */
const trusting = (cas: readonly MintedCa[], asked?: CallersAsked) => identityTrusting(cas, server, asked);

async function listen(identity: ListenerIdentity) {
  const recorded = recordEvents();
  const listener = await openListener(RUNTIME, {
    host: '127.0.0.1',
    port: 0,
    identity,
    events: recorded.sink,
    fetch: async (request) => {
      // an answer that never ends
      if (request.url.endsWith('/stream'))
        return new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(1)) }));
      return new Response('served');
    },
    webSocket: () =>
      Promise.resolve({
        subprotocol: 'mcp',
        maxMessageBytes: 1024,
        serve: async (socket) => {
          for await (const text of socket.messages) await socket.send(text);
        },
      }),
  });
  closing.push(() => listener.close(0));
  return { listener, cuts: () => recorded.of('listener.cut') };
}

const optionsFor = ({ port }: Listener, caller?: MintedCertificate) => ({
  port,
  host: '127.0.0.1',
  family: 4,
  servername: 'localhost',
  ca: serverCa.pem,
  ...(caller && { cert: caller.chainPem, key: caller.keyPem }),
});

/** Whether a new connection is served. Under TLS 1.3 a client learns that it was not let in after its handshake only. */
function outcome(listener: Listener, caller?: MintedCertificate, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...optionsFor(listener, caller), ...options });
    socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(text.includes('served') ? 'served' : 'refused'));
  });
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)('who may connect, over %s', async (version) => {
  const outcomes = async (identity: ListenerIdentity) => {
    const { listener } = await listen(identity);
    const expired = await root.issue({
      cn: 'expired',
      eku: 'client',
      notBefore: new Date(Date.now() - 2 * HOUR_MS),
      notAfter: new Date(Date.now() - HOUR_MS),
    });
    const callers = {
      none: undefined,
      direct,
      below,
      foreign,
      expired,
      server: await root.issue({ cn: 'x', eku: 'server' }),
    };
    const seen: string[] = [];
    for (const [name, caller] of Object.entries(callers)) {
      const options = { minVersion: version, maxVersion: version };
      if ((await outcome(listener, caller, options)) === 'served') seen.push(name);
    }
    return seen;
  };
  const crls = [await root.crl([direct.serialNumber]), await intermediate.crl([])];
  expect(await outcomes(listenerIdentity(server))).toEqual(['none', 'direct', 'below', 'foreign', 'expired', 'server']);
  expect(await outcomes(await trusting([root]))).toEqual(['direct', 'below']);
  expect(await outcomes(await trusting([root], { isRequired: false }))).toEqual(['none', 'direct', 'below']);
  expect(await outcomes(await trusting([intermediate]))).toEqual(['below']);
  expect(await outcomes(await trusting([intermediate, root], { crls }))).toEqual(['below']);
});

test('what is presented next counts for new connections in full: CAs, lists, versions, HTTP/2', async () => {
  const { listener } = await listen(await trusting([root]));
  const both = async (options: ConnectionOptions = {}) => [
    await outcome(listener, direct, options),
    await outcome(listener, foreign, options),
    await outcome(listener, undefined, options),
  ];
  expect(await both()).toEqual(['served', 'refused', 'refused']);
  await listener.present(await trusting([other]));
  expect(await both()).toEqual(['refused', 'served', 'refused']);
  await listener.present({ ...(await trusting([root, other])), minVersion: 'TLSv1.3' });
  expect(await both()).toEqual(['served', 'served', 'refused']);
  expect(await both({ maxVersion: 'TLSv1.2' })).toEqual(['refused', 'refused', 'refused']);
  const crls = [await root.crl([direct.serialNumber]), await other.crl([])];
  await listener.present(await trusting([root, other], { crls }));
  expect(await both()).toEqual(['refused', 'served', 'refused']);
  await listener.present(await trusting([root, other]));
  expect(await both()).toEqual(['served', 'served', 'refused']);
  await listener.present(await trusting([intermediate]));
  expect([await outcome(listener, below), ...(await both())]).toEqual(['served', 'refused', 'refused', 'refused']);
  expect(await overHttp2(await openHttp2(listener, below))).toBe(200);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'no session is resumed over %s, before or after a change',
  async (version) => {
    const { listener } = await listen(await trusting([root, other]));
    const options = { minVersion: version, maxVersion: version };
    const first = connect({ ...optionsFor(listener, direct), ...options });
    const sessions: Buffer[] = [];
    first.on('session', (session) => void sessions.push(session));
    first.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(first, 'data');
    const kept = first.getSession();
    first.destroy();
    const reused = async (): Promise<boolean> => {
      for (const session of [...sessions, ...(kept ? [kept] : [])]) {
        const again = connect({ ...optionsFor(listener, direct), ...options, session });
        again.on('error', () => undefined);
        await once(again, 'secureConnect');
        const isReused = again.isSessionReused();
        again.destroy();
        if (isReused) return true;
      }
      return false;
    };
    expect(await reused()).toBe(false);
    await listener.present(await trusting([root, other]));
    expect(await reused()).toBe(false);
    await listener.present(await trusting([other]));
    for (const session of [...sessions, ...(kept ? [kept] : [])])
      expect(await outcome(listener, direct, { ...options, session })).toBe('refused');
  },
);

async function openHttp2(listener: Listener, caller?: MintedCertificate): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://localhost:${listener.port}`, optionsFor(listener, caller));
  session.on('error', () => undefined);
  closing.push(() => session.destroy());
  await once(session, 'connect');
  return session;
}

async function overHttp2(session: ClientHttp2Session, path = '/'): Promise<unknown> {
  const stream = session.request({ ':path': path });
  stream.on('error', () => undefined);
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  return headers[':status'];
}

/** A caller with a stream open over each way in; what resolves names each way that was cut. */
async function openEverything(listener: Listener, caller?: MintedCertificate) {
  const cut: string[] = [];
  const session = await openHttp2(listener, caller);
  session.once('close', () => cut.push('http2'));
  await overHttp2(session, '/stream');
  const request = get({ ...optionsFor(listener, caller), path: '/stream', agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined).once('close', () => cut.push('sse'));
  response.resume();
  const client = await openSocket(`https://localhost:${listener.port}/`, optionsFor(listener, caller));
  void client.closed.then(() => cut.push('websocket'));
  const idle = connect(optionsFor(listener, caller));
  idle.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(idle, 'data');
  idle.on('error', () => undefined).once('close', () => cut.push('idle'));
  idle.resume();
  closing.push(
    () => response.destroy(),
    () => client.socket.terminate(),
    () => idle.destroy(),
  );
  return {
    cut,
    session,
    client,
    untilCut: () => expect.poll(() => cut.toSorted()).toEqual(['http2', 'idle', 'sse', 'websocket']),
  };
}

async function expectAlive({ cut, session, client }: Awaited<ReturnType<typeof openEverything>>): Promise<void> {
  expect(await overHttp2(session)).toBe(200);
  client.say({ still: 'here' });
  expect(await client.next()).toEqual({ still: 'here' });
  expect(cut).toEqual([]);
}

test('whoever loses the authority is cut at once, whatever the connection is used for; the others notice nothing', async () => {
  const { listener, cuts } = await listen(await trusting([root, other]));
  const [gone, stays] = [await openEverything(listener, direct), await openEverything(listener, foreign)];
  expect(await listener.present(await trusting([root, other]))).toBe(0);
  const startedAt = performance.now();
  expect(await listener.present(await trusting([other]))).toBe(4);
  await gone.untilCut();
  expect(performance.now() - startedAt).toBeLessThan(1000);
  await expectAlive(stays);
  expect(cuts()).toEqual([{ connections: 4, why: 'trust' }]);
  await expect.poll(() => listener.inFlight).toBe(3);
});

test('whoever is revoked is cut, with an intermediate everybody below it', async () => {
  const { listener, cuts } = await listen(await trusting([root, intermediate]));
  const [gone, stays] = [await openEverything(listener, below), await openEverything(listener, direct)];
  const crls = [await root.crl([intermediate.certificate.facts.serialNumber]), await intermediate.crl([])];
  expect(await listener.present(await trusting([root, intermediate], { crls }))).toBe(4);
  await gone.untilCut();
  await expectAlive(stays);
  expect(cuts()).toEqual([{ connections: 4, why: 'revoked' }]);
});

test('a certificate that ended while its connection was open is found when the same is presented again', async () => {
  const identity = await trusting([root]);
  const { listener, cuts } = await listen(identity);
  // certificates count whole seconds
  const endsAtMs = Math.ceil(Date.now() / 1000) * 1000 + 1000;
  const brief = await root.issue({ cn: 'brief', eku: 'client', notAfter: new Date(endsAtMs) });
  const [gone, stays] = [await openEverything(listener, brief), await openEverything(listener, direct)];
  expect(await listener.present(identity)).toBe(0);
  await expect.poll(() => listener.present(identity), { timeout: 5000 }).toBe(4);
  await gone.untilCut();
  await expectAlive(stays);
  expect(cuts()).toEqual([{ connections: 4, why: 'expired' }]);
});

test('who has no certificate where none is needed is nobody to judge', async () => {
  const { listener } = await listen(await trusting([root], { isRequired: false }));
  const [anonymous, gone] = [await openEverything(listener), await openEverything(listener, direct)];
  expect(await listener.present(await trusting([other], { isRequired: false }))).toBe(4);
  await gone.untilCut();
  await expectAlive(anonymous);
});

/** A handshake that stands still before the client's last flight reaches the listener. */
async function halfShaken(
  listener: Listener,
  caller: MintedCertificate,
): Promise<{ socket: TLSSocket; finish: () => void }> {
  const held: (() => void)[] = [];
  let isHeld = false;
  const proxy = await startRawServer((client) => {
    const server = connectTcp(listener.port, '127.0.0.1');
    server.on('error', () => undefined).on('close', () => client.destroy());
    server.on('data', (flight) => {
      isHeld = true;
      client.write(flight);
    });
    client.on('data', (flight) => (isHeld ? held.push(() => server.write(flight)) : server.write(flight)));
    client.on('close', () => server.destroy());
  });
  closing.push(() => proxy.close());
  const socket = connect({ ...optionsFor(listener, caller), port: proxy.port, minVersion: 'TLSv1.3' });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  const finish = () => {
    for (const write of held) write();
    held.push = (write) => Number(write());
  };
  return { socket, finish };
}

test('a handshake that began before a change and ends after it is held to the change', async () => {
  const { listener, cuts } = await listen(await trusting([root, other]));
  const [late, fine] = [await halfShaken(listener, direct), await halfShaken(listener, foreign)];
  expect(await listener.present(await trusting([other]))).toBe(0);
  const closed = once(late.socket, 'close');
  late.finish();
  fine.finish();
  await closed;
  await expect.poll(cuts).toEqual([{ connections: 1, why: 'trust' }]);
  fine.socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const [answer] = (await once(fine.socket, 'data')) as [Buffer];
  expect(answer.toString()).toContain('200 OK');
});

test('whether callers are asked cannot change while it listens', async () => {
  const identity = await trusting([root]);
  const { listener } = await listen(identity);
  for (const next of [listenerIdentity(server), await trusting([root], { isRequired: false })])
    await expect(listener.present(next)).rejects.toMatchObject({ code: 'config_invalid' });
  expect(listener.identity).toBe(identity);
  expect([await outcome(listener, direct), await outcome(listener)]).toEqual(['served', 'refused']);
});
