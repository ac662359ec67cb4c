import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { expect, test } from 'vitest';
import { listenBefore } from '../../../adapters/node-compat/listener/http1-or-http2.ts';
import { Connections } from '../../../adapters/node-compat/listener/connections.ts';
import { closeAfterEach } from '../../support/closing.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const closing = closeAfterEach();

test('a connection on which no request comes to its end of headers is ended, one that waits for an answer is not', async () => {
  const clock = new ManualClock();
  const connections = new Connections(clock);
  const http1 = createServer((request, response) => {
    connections.begin(request.socket);
    response.once('close', () => connections.end(request.socket));
    if (request.url === '/answered') response.end('answered');
    else response.write('begun');
  });
  const http2 = createHttp2Server();
  connections.watch(http1, 'connection', http2, 100_000);
  const server = listenBefore(http1, http2, 30_000);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const open = async (text: string) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    closing.push(() => socket.destroy());
    socket.write(text);
    await (text.endsWith('\r\n\r\n') ? once(socket, 'data') : once(http1, 'connection'));
    return socket.resume();
  };
  const [slow, answered, streaming] = [
    await open('GET / HTTP/1.1\r\nhost: x\r\n'),
    await open('GET /answered HTTP/1.1\r\nhost: x\r\n\r\n'),
    await open('GET /stream HTTP/1.1\r\nhost: x\r\n\r\n'),
  ];
  clock.advance(90_000);
  expect([slow.closed, answered.closed, streaming.closed]).toEqual([false, false, false]);
  const ended = Promise.all([once(slow, 'close'), once(answered, 'close')]);
  clock.advance(60_000);
  await ended;
  expect(streaming.closed).toBe(false);
  connections.endIdle();
  expect(clock.pending).toBe(0);
});

test('an HTTP/2 connection that only pings is ended, one with a stream is not', async () => {
  const clock = new ManualClock();
  const connections = new Connections(clock);
  const http2 = createHttp2Server();
  connections.watch(createServer(), 'connection', http2, 100_000);
  http2.on('stream', (stream: ServerHttp2Stream) => {
    if (stream.session) connections.begin(stream.session);
    stream.respond();
  });
  await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', resolve));
  closing.push(() => http2.close());
  const open = async () => {
    const session = connectHttp2(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`);
    closing.push(() => session.destroy());
    await once(http2, 'session');
    return session;
  };
  const [pinging, streaming] = [await open(), await open()];
  const stream = streaming.request();
  closing.push(() => stream.destroy());
  await once(stream, 'response');
  const ended = once(pinging, 'close');
  for (let pings = 0; pings < 11; pings++) {
    if (!pinging.closed) await new Promise((resolve) => pinging.ping(resolve));
    clock.advance(10_000);
  }
  clock.advance(10_000);
  await ended;
  expect(streaming.closed).toBe(false);
  connections.endIdle();
});
