/** What a listener tells of the other end of a connection. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { RUNTIME } from '#runtime';
import { lookAt } from '../../../adapters/node-compat/listener/caller-chain.ts';
import { CallerConnections } from '../../../adapters/node-compat/listener/caller-connections.ts';
import { openListener } from '../../../adapters/node-compat/listener/listener.ts';
import type { ListenerOptions } from '../../../adapters/node-compat/listener/listener.ts';
import type { Incoming } from '../../../adapters/node-compat/listener/servers.ts';
import type { Arrival } from '../../../src/http/env.ts';
import { closeAfterEach } from '../../support/closing.ts';
import { identityTrusting } from '../../support/listener-identity.ts';
import { mintPki } from '../../support/pki.ts';
import { rawExchange } from '../../support/raw-request.ts';
import { openSocket } from '../../support/web-socket.ts';

const closing = closeAfterEach();

/** What arrived with each request, in order. */
async function listen(options: Partial<ListenerOptions> = {}): Promise<{ url: string; arrivals: Arrival[] }> {
  const arrivals: Arrival[] = [];
  const listener = await openListener(RUNTIME, {
    host: '127.0.0.1',
    port: 0,
    fetch: (_, arrival = {}) => {
      arrivals.push(arrival);
      return new Response('here');
    },
    webSocket: (_, arrival = {}) => {
      arrivals.push(arrival);
      return Promise.resolve({ subprotocol: 'mcp', maxMessageBytes: 1, serve: () => Promise.resolve() });
    },
    ...options,
  });
  closing.push(() => listener.close(0));
  return { url: `${options.identity ? 'https' : 'http'}://127.0.0.1:${listener.port}`, arrivals };
}

/** From where, and whether a chain was shown: some runtimes complete it with the authority. */
const seen = (arrivals: readonly Arrival[]) =>
  arrivals.map(({ connection }) => [connection?.address, connection?.chain.length !== 0]);

async function overHttp2(url: string, options: object = {}): Promise<void> {
  const session = connect(url, options);
  for (let time = 0; time < 2; time++) await session.request({ ':path': '/', 'x-in': 'http2' }).toArray();
  session.destroy();
}

test('in plain text, over HTTP/1.1, HTTP/2 and WebSocket', async () => {
  const { url, arrivals } = await listen();
  const two = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  await rawExchange(url, two, { from: '127.0.0.7' });
  await overHttp2(url);
  (await openSocket(url)).socket.terminate();
  expect(seen(arrivals)).toEqual([
    ['127.0.0.7', false],
    ['127.0.0.7', false],
    ['127.0.0.1', false],
    ['127.0.0.1', false],
    ['127.0.0.1', false],
  ]);
  // one object for all requests of a connection
  expect(arrivals[0]?.connection).toBe(arrivals[1]?.connection);
  expect(arrivals[2]?.connection).toBe(arrivals[3]?.connection);
  expect(arrivals[1]?.connection).not.toBe(arrivals[2]?.connection);
  expect(arrivals.map(({ rawHeaders }) => rawHeaders?.includes('localhost'))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(arrivals[2]?.rawHeaders).toContain('x-in');
});

test('an IPv4 address is one also where the listener takes both kinds', async () => {
  const { url, arrivals } = await listen({ host: '::' });
  await rawExchange(url, 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  expect(seen(arrivals)).toEqual([['127.0.0.1', false]]);
});

test('over TLS, with the chain that was shown, or none', async () => {
  const pki = await mintPki();
  const [ours, theirs] = [await pki.ca('Ours'), await pki.ca('Theirs')];
  const leaf = await theirs.issue({ cn: 'caller', eku: 'client' });
  const presented = await ours.issue({ cn: 'gateway', ip: ['127.0.0.1'], eku: 'server' });
  const { url, arrivals } = await listen({
    identity: await identityTrusting([theirs], presented, { isRequired: false }),
  });
  for (const shown of [{}, { cert: leaf.chainPem, key: leaf.keyPem }]) {
    const options = { ca: ours.pem, ...shown };
    const [response] = (await once(request(url, { ...options, agent: false }).end(), 'response')) as [IncomingMessage];
    await response.toArray();
    await overHttp2(url, options);
  }
  expect(seen(arrivals)).toEqual([
    ['127.0.0.1', false],
    ['127.0.0.1', false],
    ['127.0.0.1', false],
    ['127.0.0.1', true],
    ['127.0.0.1', true],
    ['127.0.0.1', true],
  ]);
  expect([...(arrivals[3]?.connection?.chain[0] ?? [])]).toEqual([...leaf.certificate.der]);
});

test('one that was reset shows nothing: its certificate may be that of a proxy, which no address tells any more', async () => {
  const ca = await (await mintPki()).ca('Theirs');
  const leaf = new X509Certificate((await ca.issue({ cn: 'proxy', eku: 'client' })).certPem);
  const seenFrom = (remoteAddress: string | undefined) => {
    const socket = { remoteAddress, authorized: true, getPeerCertificate: () => ({ raw: leaf.raw }) };
    lookAt(socket as unknown as TLSSocket, []);
    const { address, chain } = new CallerConnections().of({ socket } as unknown as Incoming);
    return [address, chain.length];
  };
  expect([seenFrom('10.0.0.1'), seenFrom(undefined)]).toEqual([
    ['10.0.0.1', 1],
    [undefined, 0],
  ]);
});
