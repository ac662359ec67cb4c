/** The listener's WebSockets, whatever is served over them. */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, test, vi } from 'vitest';
import { RUNTIME } from '#runtime';
import { openListener } from '../../../adapters/node-compat/listener/listener.ts';
import type { Listener, ListenerOptions } from '../../../adapters/node-compat/listener/listener.ts';
import type { AcceptedSocket, MessageSocket } from '../../../src/http/mcp/pipe/socket-port.ts';
import { listenerIdentity } from '../../support/listener-identity.ts';
import { mintPki } from '../../support/pki.ts';
import { openSocket, refusedSocket } from '../../support/web-socket.ts';

const MEGABYTE = 'x'.repeat(1024 * 1024);
/** How Java's HTTP client begins. */
const H2C =
  'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0).toReversed()) await close();
});

type Serve = AcceptedSocket['serve'];
const echo: Serve = async (socket) => {
  for await (const text of socket.messages) await socket.send(text);
};

async function listen(
  serve: Serve,
  options: Partial<ListenerOptions> = {},
): Promise<{ listener: Listener; url: string }> {
  const listener = await openListener(RUNTIME, {
    host: '127.0.0.1',
    port: 0,
    fetch: async (request) => new Response(`${request.method} ${await request.text()}`),
    webSocket: () => Promise.resolve({ subprotocol: 'mcp', maxMessageBytes: 4 * MEGABYTE.length, serve }),
    ...options,
  });
  closing.push(() => listener.close(0));
  return { listener, url: `${options.identity ? 'https' : 'http'}://127.0.0.1:${listener.port}/` };
}

/** What comes back for a request written by hand, until the server closes or `until` was seen. */
function exchange(url: string, request: string, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      if (until?.test(text)) socket.destroy();
    });
    socket.on('error', reject).on('close', () => resolve(text));
    socket.write(request);
  });
}

test('over TLS as in plain text', async () => {
  const ca = await (await mintPki()).ca('CA');
  const identity = listenerIdentity(await ca.issue({ cn: 'gateway', ip: ['127.0.0.1'], eku: 'server' }));
  let scheme = '';
  const { url } = await listen(echo, {
    identity,
    webSocket: async (request) => {
      scheme = new URL(request.url).protocol;
      return { subprotocol: undefined, maxMessageBytes: 100, serve: echo };
    },
  });
  const client = await openSocket(url, { ca: ca.pem }, []);
  client.say({ hello: 'there' });
  expect([await client.next(), scheme]).toEqual([{ hello: 'there' }, 'https:']);
  client.socket.close();
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connectTls({ port: Number(new URL(url).port), host: '127.0.0.1', ca: ca.pem });
    socket.setEncoding('latin1').on('error', reject).on('data', resolve);
    socket.write(`${H2C}Content-Length: 0\r\n\r\n`);
    closing.push(() => socket.destroy());
  });
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});

test('a request that asks for another protocol is answered as if it had not, body and all', async () => {
  const { url } = await listen(echo);
  const answer = await exchange(url, `${H2C}Content-Length: 5\r\n\r\nhello`, /POST hello/);
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*POST hello(?:\r\n0\r\n\r\n)?$/);
});

test('what is no handshake of WebSocket, and a Host that is none, are refused with 400', async () => {
  const { url } = await listen(echo);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  const noKey = await exchange(url, `GET /ws HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n`);
  expect(noKey).toMatch(/^HTTP\/1\.1 400 /);
  const badHost = await exchange(url, `GET /ws HTTP/1.1\r\nHost: a b\r\n${upgrade}\r\n`);
  expect(badHost).toMatch(/^HTTP\/1\.1 400 /);
  const named = await exchange(url, `GET /ws HTTP/1.1\r\nHost: user@localhost\r\n${upgrade}\r\n`);
  expect(named).toMatch(/^HTTP\/1\.1 400 /);
});

test('what the gateway answers instead is the answer, headers and body', async () => {
  const { url } = await listen(echo, {
    webSocket: async () => Response.json({ code: 'forbidden' }, { status: 403, headers: { 'x-why': 'because' } }),
  });
  const refused = await refusedSocket(url);
  expect(refused).toMatchObject({ status: 403, body: '{"code":"forbidden"}', headers: { 'x-why': 'because' } });
});

test('whoever sends waits for a peer that does not read', async () => {
  let sentCount = 0;
  const { url } = await listen(async (socket) => {
    for (; sentCount < 60; sentCount++) await socket.send(MEGABYTE);
    socket.close(1000, 'enough');
  });
  const client = await openSocket(url);
  client.socket.pause();
  await vi.waitFor(() => expect(sentCount).toBeGreaterThan(0));
  let before = -1;
  while (before !== sentCount) {
    before = sentCount;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(sentCount).toBeLessThan(30);
  client.socket.resume();
  expect((await client.closed).code).toBe(1000);
  expect([sentCount, client.texts.length]).toEqual([60, 60]);
});

test('a peer waits for whoever does not take its messages', async () => {
  const go = Promise.withResolvers<void>();
  let taken = 0;
  const { url } = await listen(async (socket) => {
    for await (const text of socket.messages) {
      taken += text.length;
      await go.promise;
    }
  });
  const client = await openSocket(url);
  for (let count = 0; count < 32; count++) client.say(MEGABYTE);
  const order: string[] = [];
  // answered once everything before it was read
  client.socket.ping();
  const read = new Promise((resolve) => client.socket.once('pong', resolve)).then(() => order.push('read'));
  // long enough to read far more
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  order.push('taken');
  go.resolve();
  await read;
  expect(order).toEqual(['taken', 'read']);
  await vi.waitFor(() => expect(taken).toBe(32 * MEGABYTE.length));
  client.socket.close();
});

test('sending to a peer that is gone fails nobody', async () => {
  const gone = Promise.withResolvers<void>();
  const { listener, url } = await listen(async (socket) => {
    for await (const text of socket.messages) expect(text).toBeDefined();
    await socket.send(MEGABYTE);
    gone.resolve();
  });
  const client = await openSocket(url);
  client.socket.terminate();
  await gone.promise;
  await vi.waitFor(() => expect(listener.inFlight).toBe(0));
});

test('a peer is asked for a sign of life every 30 s, and is gone when it gave none', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { url } = await listen(echo);
  const alive = await openSocket(url);
  const dead = await openSocket(url, { autoPong: false });
  let pinged = 0;
  alive.socket.on('ping', () => pinged++);
  const answered = new Promise((resolve) => dead.socket.once('ping', resolve));
  const ponged = new Promise((resolve) => alive.socket.once('ping', resolve));
  vi.advanceTimersByTime(30_000);
  await Promise.all([answered, ponged]);
  // the pong goes out after the event, and what is sent next after the pong
  alive.say({ after: 'pong' });
  await alive.next();
  vi.advanceTimersByTime(30_000);
  expect((await dead.closed).code).toBe(1006);
  alive.say({ still: 'here' });
  expect(await alive.next()).toEqual({ still: 'here' });
  expect(pinged).toBe(2);
  alive.socket.close();
});

test('a stop waits for what is served, and cuts and counts what is not done in time', async () => {
  const sockets: MessageSocket[] = [];
  const done = Promise.withResolvers<void>();
  const { listener, url } = await listen(async (socket) => {
    sockets.push(socket);
    await done.promise;
    socket.close(1001, 'bye');
  });
  const client = await openSocket(url);
  const stopped = listener.close(60_000);
  await vi.waitFor(() => expect(sockets).toHaveLength(1));
  done.resolve();
  expect([await stopped, (await client.closed).code]).toEqual([0, 1001]);

  const stuck = await listen(() => new Promise(() => undefined));
  const cut = await openSocket(stuck.url);
  expect(await stuck.listener.close(0)).toBe(1);
  expect((await cut.closed).code).toBe(1006);
});
