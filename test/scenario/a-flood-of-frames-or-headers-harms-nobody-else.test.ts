/** What breaks servers of HTTP: a gateway ends such connections, and goes on answering the others meanwhile. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { END_HEADERS, END_STREAM, field, FRAME, frame, openFrames, REQUEST } from '../support/http2-frames.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { rawExchange } from '../support/raw-request.ts';

let gateway: TestGateway;
let token: string;
let port: number;
beforeAll(async () => {
  gateway = await startGateway();
  token = await gateway.token('ann');
  port = Number(new URL(gateway.url).port);
});
afterAll(() => gateway.close());

/** Calls of somebody else while `flood` goes on; resolves with the slowest, in milliseconds. */
async function callsDuring(flood: Promise<unknown>): Promise<number> {
  const over = new AbortController();
  const ended = flood.finally(() => over.abort());
  let slowestMs = 0;
  do {
    const startedMs = performance.now();
    const answer = await postMessage(`${gateway.url}/mcp`, token, { jsonrpc: '2.0', id: 1, method: 'ping' });
    expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  } while (!over.signal.aborted);
  await ended;
  return slowestMs;
}

const SLOWEST_MS = 2_000;
/** Frames in one write. */
const BATCH = 500;

/** Sends until the other side ends the connection; resolves with the code it gave. */
async function floodUntilEnded(
  next: (index: number) => Buffer,
  first: readonly Buffer[] = [],
): Promise<number | undefined> {
  const client = openFrames(port);
  client.send(...first);
  for (let sent = 0; sent < 2_000_000 && !client.socket.destroyed; sent += BATCH) {
    client.send(...Array.from({ length: BATCH }, (_, index) => next(sent + index)));
    await new Promise((resolve) => setImmediate(resolve));
    if (client.socket.writableNeedDrain)
      await Promise.race([once(client.socket, 'drain').catch(() => undefined), client.ended]);
  }
  return client.ended;
}

test('a client that keeps to the rules is answered', async () => {
  const client = openFrames(port);
  for (let index = 0; index < 5; index++)
    client.send(
      frame(FRAME.headers, END_STREAM, index * 2 + 1, REQUEST),
      frame(FRAME.continuation, END_HEADERS, index * 2 + 1, field('x-more', 'x')),
      frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
      frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255])),
    );
  const { headers, ping, settings } = FRAME;
  const countOf = (wanted: number) => client.came.filter((type) => type === wanted).length;
  await expect.poll(() => [countOf(headers), countOf(ping), countOf(settings)]).toEqual([5, 5, 7]);
  client.socket.destroy();
});

type Flood = [what: string, next: (index: number) => Buffer, first?: readonly Buffer[]];

test.each<Flood>([
  [
    'streams that are opened and reset (CVE-2023-44487)',
    (index: number) =>
      Buffer.concat([
        frame(FRAME.headers, END_HEADERS | END_STREAM, index * 2 + 1, REQUEST),
        frame(FRAME.reset, 0, index * 2 + 1, Buffer.from([0, 0, 0, 8])),
      ]),
  ],
  ['pings', () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
  ['settings to be acknowledged', () => frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255]))],
  [
    'a header block that never ends (CVE-2024-27983)',
    () => frame(FRAME.continuation, 0, 1, field('x-more', 'x'.repeat(100))),
    [frame(FRAME.headers, END_STREAM, 1, REQUEST)],
  ],
])('%s', async (_what, next, first = []) => {
  expect(await callsDuring(floodUntilEnded(next, first))).toBeLessThan(SLOWEST_MS);
});

const request = (...headers: readonly string[]): string =>
  ['GET /health HTTP/1.1', 'host: localhost', 'connection: close', ...headers, '', ''].join('\r\n');

test('more headers than anybody needs are refused, before some of them are left out', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `x${index}: 1`);
  expect(await rawExchange(gateway.url, request(...many(250)))).toMatch(/^HTTP\/1.1 200 /);
  expect(await rawExchange(gateway.url, request(...many(2500)))).toMatch(/^HTTP\/1.1 431 /);
  const upgrade = request(...many(300)).replace('connection: close', 'connection: upgrade\r\nupgrade: websocket');
  expect(await rawExchange(gateway.url, upgrade)).toMatch(/^HTTP\/1.1 431 /);
  // and 32 KiB are too long, however few
  expect(await rawExchange(gateway.url, request(`x: ${'y'.repeat(33_000)}`))).toMatch(/^HTTP\/1.1 431 /);
  const session = connect(gateway.url);
  const stream = session.request({
    ':path': '/health',
    ...Object.fromEntries(many(300).map((line) => line.split(': '))),
  });
  // nghttp2 does not even hand it on
  const refused = new Promise((resolve) => stream.once('error', resolve).once('response', resolve));
  expect(await refused).toMatchObject({ message: expect.stringContaining('ENHANCE_YOUR_CALM') as unknown });
  session.destroy();
});

test('a request may be no larger than a message, and is refused as soon as it is', async () => {
  const MIB = 1024 * 1024;
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const head = [
    'POST /mcp HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    `authorization: Bearer ${token}`,
  ];
  socket.write([...head, `content-length: ${1024 * MIB}`, '', ''].join('\r\n'));
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  let sentMib = 0;
  while (!text.includes('413') && sentMib < 256 && !socket.destroyed) {
    socket.write(Buffer.alloc(MIB, 32));
    sentMib++;
    if (socket.writableNeedDrain)
      await Promise.race([once(socket, 'drain'), once(socket, 'data')]).catch(() => undefined);
  }
  await expect.poll(() => text).toMatch(/^HTTP\/1.1 413 /);
  expect(sentMib).toBeLessThan(64);
  socket.destroy();
  // who is nobody is not listened to at all
  const stranger = await rawExchange(
    gateway.url,
    ['POST /mcp HTTP/1.1', 'host: localhost', `content-length: ${1024 * MIB}`, '', ''].join('\r\n'),
    { until: /401/ },
  );
  expect(stranger).toMatch(/^HTTP\/1.1 401 /);
});
