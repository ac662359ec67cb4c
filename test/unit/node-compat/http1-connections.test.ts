import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { createServer as createHttp2Server } from 'node:http2';
import { expect, test } from 'vitest';
import { listenBefore } from '../../../adapters/node-compat/listener/http1-or-http2.ts';
import { Http1Connections } from '../../../adapters/node-compat/listener/http1-connections.ts';
import { closeAfterEach } from '../../support/closing.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const closing = closeAfterEach();

test('a connection on which no request comes to its end of headers is ended, one that waits for an answer is not', async () => {
  const clock = new ManualClock();
  const connections = new Http1Connections(clock);
  const http1 = createServer((request, response) => {
    connections.begin(request.socket);
    response.once('close', () => connections.end(request.socket));
    if (request.url === '/answered') response.end('answered');
    else response.write('begun');
  });
  connections.watch(http1, 'connection', 100_000);
  const server = listenBefore(http1, createHttp2Server(), 30_000);
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
