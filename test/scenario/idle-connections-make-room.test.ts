/** As many connections as may be, and all of them idle: who comes with a request is served all the same. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { RUNTIME } from '#runtime';
import { openListener } from '../../adapters/node-compat/listener/listener.ts';
import { closeAfterEach } from '../support/closing.ts';
import { listenerIdentity } from '../support/listener-identity.ts';
import { mintPki } from '../support/pki.ts';

const MAX = 8;
const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';
const closing = closeAfterEach();

test.each(['http', 'https'] as const)('over %s', async (scheme) => {
  const ca = await (await mintPki()).ca('CA');
  const identity =
    scheme === 'https'
      ? listenerIdentity(await ca.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' }))
      : undefined;
  const stream = () =>
    new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([46])) }));
  const listener = await openListener(RUNTIME, {
    host: '127.0.0.1',
    port: 0,
    identity,
    maxConnections: MAX,
    fetch: (request) => (request.url.endsWith('/stream') ? stream() : new Response('served')),
  });
  closing.push(() => listener.close(0));
  const { port } = listener;
  const tls = { ca: ca.pem, servername: 'localhost', host: '127.0.0.1', port };

  const open = async (): Promise<Socket> => {
    const socket = identity ? connectTls(tls) : connect(port, '127.0.0.1');
    closing.push(() => socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, identity ? 'secureConnect' : 'connect');
    return socket;
  };
  const ask = async (socket: Socket, path = '/'): Promise<string> => {
    socket.write(REQUEST.replace('/ ', `${path} `));
    return String(await once(socket, 'data'));
  };

  // two are at work, over HTTP/1.1 and HTTP/2, the others have been or not
  const streaming = await open();
  await ask(streaming, '/stream');
  const session = connectHttp2(`${scheme}://127.0.0.1:${port}`, tls);
  closing.push(() => session.destroy());
  session.on('error', () => undefined);
  const http2Stream = session.request({ ':path': '/stream' });
  http2Stream.on('error', () => undefined);
  await once(http2Stream, 'data');
  const idle: Socket[] = [];
  for (let index = 0; index < MAX - 2; index++) {
    const socket = await open();
    expect(await ask(socket)).toMatch(/^HTTP\/1.1 200 /);
    idle.push(socket);
  }
  // whoever was asked last stays
  expect(await ask(idle[0] as Socket)).toMatch(/^HTTP\/1.1 200 /);
  for (let index = 0; index < 3; index++) expect(await ask(await open())).toMatch(/^HTTP\/1.1 200 /);
  await expect.poll(() => idle.map(({ closed }) => closed)).toEqual([false, true, true, true, false, false]);
  expect([streaming.closed, session.closed]).toEqual([false, false]);
});

test.each(['http', 'https'] as const)('silent connections make room as well, over %s', async (scheme) => {
  const ca = await (await mintPki()).ca('CA');
  const names = { cn: 'localhost', dns: ['localhost'], eku: 'server' } as const;
  const identity = scheme === 'https' ? listenerIdentity(await ca.issue(names)) : undefined;
  const fetch = () => new Response('served');
  const listener = await openListener(RUNTIME, { host: '127.0.0.1', port: 0, identity, maxConnections: MAX, fetch });
  closing.push(() => listener.close(0));
  const open = async (isServed: boolean): Promise<Socket> => {
    const at = { host: '127.0.0.1', port: listener.port, ca: ca.pem, servername: 'localhost' };
    const socket = isServed && identity ? connectTls(at) : connect(at);
    closing.push(() => socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, isServed && identity ? 'secureConnect' : 'connect');
    return socket;
  };
  const ask = async (socket: Socket): Promise<string> => {
    socket.write(REQUEST);
    return String(await once(socket, 'data'));
  };
  const kept = await open(true);
  expect(await ask(kept)).toMatch(/^HTTP\/1.1 200 /);
  const silent: Socket[] = [];
  for (let index = 0; index < MAX; index++) silent.push((await open(false)).resume());
  for (let index = 0; index < 2; index++) expect(await ask(await open(true))).toMatch(/^HTTP\/1.1 200 /);
  expect(await ask(kept)).toMatch(/^HTTP\/1.1 200 /);
  await expect.poll(() => silent.map(({ closed }) => closed).join()).toMatch(/^true,true,true(,false)+$/);
});

test('where all are at work there is no room', async () => {
  const listener = await openListener(RUNTIME, {
    host: '127.0.0.1',
    port: 0,
    maxConnections: 2,
    fetch: () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([46])) })),
  });
  closing.push(() => listener.close(0));
  const open = (): Socket => {
    const socket = connect(listener.port, '127.0.0.1').on('error', () => undefined);
    closing.push(() => socket.destroy());
    socket.write(REQUEST);
    return socket.resume();
  };
  const [first, second] = [open(), open()];
  await Promise.all([once(first, 'data'), once(second, 'data')]);
  await once(open(), 'close');
  expect([first.closed, second.closed]).toEqual([false, false]);
});
