import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRawServer } from '../support/raw-servers.ts';
import { startLoad } from '../support/tls-load.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

const FLOOD = 240;
const LIMIT_MS = 10_000;
let gateway: TlsPostern;
let flood: readonly { readonly socket: Socket; readonly lived: Promise<number> }[];
beforeAll(async () => {
  gateway = await startTlsPostern();
  const hello = await clientHello();
  // nothing, something, and all of a first flight
  const sizes = [0, 20, hello.length];
  flood = await Promise.all(Array.from({ length: FLOOD }, (_, index) => stall(hello.subarray(0, sizes[index % 3]))));
});
afterAll(() => gateway?.close());

/** The first bytes of a client that is about to make a handshake. */
async function clientHello(): Promise<Buffer> {
  const heard = Promise.withResolvers<Buffer>();
  const server = await startRawServer((socket) => socket.once('data', heard.resolve));
  const socket = connectTls({ port: server.port, host: '127.0.0.1', servername: 'localhost' }).on(
    'error',
    () => undefined,
  );
  const hello = await heard.promise;
  socket.destroy();
  await server.close();
  return hello;
}

/** Begins a handshake that it never ends; `lived` is how long the other side stood it, in milliseconds. */
async function stall(beginning: Buffer) {
  const socket = connect(Number(new URL(gateway.source.url).port), '127.0.0.1');
  const openedAt = performance.now();
  const lived = new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now() - openedAt)));
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  socket.write(beginning);
  return { socket, lived };
}

test('while handshakes stand still by the hundred, calls go on, and so does a reload', async () => {
  const startedAt = performance.now();
  const load = startLoad(gateway, 6);
  await load.more(60);
  await gateway.write('both.pem', (await gateway.issue('second')).bundlePem);
  gateway.process.signal('SIGHUP');
  await expect.poll(() => gateway.presented()).toBe('second');
  await load.more(60);
  expect(await load.stop()).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(LIMIT_MS);
  expect(flood.filter(({ socket }) => socket.closed)).toEqual([]);
});

test('a handshake that is not over within ten seconds is given up', async () => {
  const lived = await Promise.all(flood.map((stalled) => stalled.lived));
  expect(Math.min(...lived)).toBeGreaterThan(LIMIT_MS * 0.9);
  expect(Math.max(...lived)).toBeLessThan(LIMIT_MS * 2);
  expect(await gateway.echo('still')).toBe('still');
});

test('nor does one hold up the end', async () => {
  const stalled = await Promise.all([0, 20].map((size) => stall(Buffer.alloc(size, 22))));
  const stoppedAt = performance.now();
  gateway.process.signal('SIGTERM');
  expect(await gateway.process.exited).toBe(0);
  expect(performance.now() - stoppedAt).toBeLessThan(LIMIT_MS / 2);
  await Promise.all(stalled.map(({ lived }) => lived));
});
