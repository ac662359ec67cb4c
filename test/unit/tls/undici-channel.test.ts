import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import { createDialer } from '../../../adapters/node-compat/dialer/dialer.ts';
import { RUNTIME } from '#runtime';
import type { Clock } from '../../../src/base/clock.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import type { Channel, ChannelRequest } from '../../../src/tls/dialer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startRawServer } from '../../support/raw-servers.ts';
import { startUpstream, type TestUpstream } from '../../support/tls-upstream.ts';

const GET: ChannelRequest = { method: 'GET', path: '/', headers: {} };
const over = new GatewayError('channel_closed', 'the test is over');
const opened: { channel: Channel; upstream: { close(): Promise<void> } }[] = [];

afterEach(async () => {
  for (const { channel, upstream } of opened.splice(0)) {
    channel.destroy(over);
    await upstream.close();
  }
});

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

async function open(
  handle?: Handle,
  clock: Clock = systemClock,
): Promise<{ channel: Channel; upstream: TestUpstream }> {
  const upstream = await startUpstream(handle && { handle });
  const dialer = createDialer(RUNTIME, { events: () => {}, clock, contextCache: { maxIdle: 0 } });
  const channel = await dialer.open(undefined, upstream.origin('127.0.0.1'));
  opened.push({ channel, upstream });
  return { channel, upstream };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.byteLength;
  return bytes;
}

const megabyte: Handle = (_, response) => void response.end(Buffer.alloc(1_048_576, 'x'));

test('a whole body is text, with its byte order mark left out', async () => {
  const { channel } = await open((_, response) => response.end('\ufeff{"ä":"€"}'));
  expect(await (await channel.send(GET)).text(100)).toBe('{"ä":"€"}');
});

test('a character split between two chunks survives', async () => {
  const euro = Buffer.from('€');
  const { channel } = await open((_, response) => {
    response.write(euro.subarray(0, 1), () => process.nextTick(() => response.end(euro.subarray(1))));
  });
  expect(await (await channel.send(GET)).text(100)).toBe('€');
});

test('a body over the limit is refused, whether it has arrived or not, and its connection is given up', async () => {
  const { channel } = await open((request, response) =>
    request.url === '/big' ? megabyte(request, response) : response.end('0123456789'),
  );
  for (const [path, limit] of [
    ['/big', 1_000],
    ['/small', 9],
  ] as const) {
    const response = await channel.send({ ...GET, path });
    await expect(response.text(limit)).rejects.toMatchObject({ code: 'upstream_too_large' });
    expect(channel.active).toBe(0);
  }
  expect(await (await channel.send({ ...GET, path: '/small' })).text(10)).toBe('0123456789');
});

test('body() is text while it fits and the whole of a stream when it does not', async () => {
  const { channel } = await open((request, response) =>
    request.url === '/big' ? megabyte(request, response) : response.end('small'),
  );
  expect(await (await channel.send({ ...GET, path: '/small' })).body(5)).toBe('small');
  for (const buffer of [0, 10, 70_000, 1_048_575]) {
    const body = await (await channel.send({ ...GET, path: '/big' })).body(buffer);
    if (typeof body === 'string') throw new Error('expected a stream');
    expect(await readAll(body)).toBe(1_048_576);
  }
  expect(await (await channel.send({ ...GET, path: '/big' })).body(1_048_576)).toHaveLength(1_048_576);
  expect(channel.active).toBe(0);
});

test('a body is read once', async () => {
  const { channel } = await open();
  const response = await channel.send(GET);
  await response.text(10);
  await expect(response.text(10)).rejects.toThrow(TypeError);
  expect(() => response.stream()).toThrow(TypeError);
});

test('a slow reader holds the server back', async () => {
  const socketBuffers = 16 * 1_048_576;
  let written = 0;
  const held = Promise.withResolvers<void>();
  const { channel } = await open((_, response) => {
    const write = (): void => {
      while (written < 4 * socketBuffers) {
        written += 65_536;
        if (!response.write(Buffer.alloc(65_536))) {
          // Still blocked a few turns later: nobody is reading.
          const blockedAt = written;
          setTimeout(() => written === blockedAt && held.resolve(), 50);
          return void response.once('drain', write);
        }
      }
      response.end();
    };
    write();
  });
  const response = await channel.send(GET);
  const reader = response.stream().getReader();
  await reader.read();
  await held.promise;
  expect(written).toBeLessThan(socketBuffers);
  expect(channel.active).toBe(1);
  await reader.cancel();
});

test('cancelling a stream closes the request and is no failure', async () => {
  const closed = Promise.withResolvers<void>();
  const { channel } = await open((_, response) => {
    response.on('close', () => closed.resolve());
    response.write('event');
  });
  const ends: unknown[] = [];
  const response = await channel.send({ ...GET, onEnd: (failure) => ends.push(failure) });
  const reader = response.stream().getReader();
  expect((await reader.read()).value).toEqual(Buffer.from('event'));
  await reader.cancel();
  await closed.promise;
  expect(ends).toEqual([undefined]);
  expect(channel.active).toBe(0);
});

test('an abort ends the wait for headers and a body being read', async () => {
  const arrived = Promise.withResolvers<void>();
  const { channel } = await open((request, response) => {
    arrived.resolve();
    if (request.url === '/body') response.write('begun');
  });
  const waiting = new AbortController();
  const reason = new GatewayError('call_cancelled', 'the caller left');
  const pending = channel.send({ ...GET, path: '/headers', signal: waiting.signal });
  await arrived.promise;
  waiting.abort(reason);
  await expect(pending).rejects.toBe(reason);

  const reading = new AbortController();
  const ends: unknown[] = [];
  const response = await channel.send({
    ...GET,
    path: '/body',
    signal: reading.signal,
    onEnd: (failure) => ends.push(failure),
  });
  const text = response.text(100);
  reading.abort(reason);
  await expect(text).rejects.toBe(reason);
  expect(ends).toEqual([reason]);
  expect(channel.active).toBe(0);

  await expect(channel.send({ ...GET, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('an abort before the request has a connection leaves the connection to others', async () => {
  const { channel, upstream } = await open();
  const aborted = new AbortController();
  const never = channel.send({ ...GET, path: '/never', signal: aborted.signal });
  aborted.abort(new Error('left'));
  await expect(never).rejects.toThrow('left');
  while (upstream.connections === 0) await setImmediate();
  await setImmediate();
  expect(await (await channel.send({ ...GET, path: '/other' })).text(10)).toBe('ok');
  expect(upstream.requests.map(({ path }) => path)).toEqual(['/other']);
  expect(upstream.connections).toBe(1);
});

test('requests HTTP cannot carry are refused, however many, and leave the channel as it was', async () => {
  const { channel, upstream } = await open();
  for (let count = 0; count < 1_100; count++) {
    const refused = channel.send({ ...GET, headers: { 'x-bad': 'line\nbreak' } });
    await expect(refused).rejects.toMatchObject({ code: 'request_invalid' });
  }
  await expect(channel.send({ ...GET, path: '/not allowed' })).rejects.toMatchObject({ code: 'request_invalid' });
  expect(await (await channel.send(GET)).text(10)).toBe('ok');
  expect([upstream.requests.length, channel.active]).toEqual([1, 0]);
});

test('repeated response headers are joined, names are lower case, early hints are passed over', async () => {
  const { channel } = await open((_, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.setHeader('WWW-Authenticate', ['Basic', 'Bearer']);
    response.writeHead(401).end();
  });
  const response = await channel.send(GET);
  expect(response.status).toBe(401);
  expect(response.headers['www-authenticate']).toBe('Basic, Bearer');
  expect(await response.text(10)).toBe('');
});

test('a response cut short fails whoever reads it, once, with connection_lost', async () => {
  const { channel } = await open((_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('part', () => response.destroy());
  });
  for (const read of ['text', 'stream', 'body'] as const) {
    const ends: unknown[] = [];
    const response = await channel.send({ ...GET, onEnd: (failure) => ends.push(failure) });
    const reading = read === 'stream' ? readAll(response.stream()) : response[read](10_000);
    await expect(reading).rejects.toMatchObject({ code: 'connection_lost' });
    expect(ends).toEqual([expect.objectContaining({ code: 'connection_lost' })]);
  }
  expect(channel.active).toBe(0);
});

test('a connection closed without an answer is connection_lost and the request is not sent again', async () => {
  const { channel, upstream } = await open((_, response) => response.destroy());
  const ends: unknown[] = [];
  const sent = channel.send({ ...GET, method: 'POST', body: '{}', onEnd: (failure) => ends.push(failure) });
  await expect(sent).rejects.toMatchObject({ code: 'connection_lost' });
  expect([upstream.requests.length, ends.length]).toEqual([1, 0]);
});

test('what is not HTTP/1.1 is upstream_protocol, silence is upstream_timeout', async () => {
  const { channel } = await open((request, response) => {
    if (request.url === '/odd') response.socket?.end('220 smtp ready\r\n');
  });
  await expect(channel.send({ ...GET, path: '/odd' })).rejects.toMatchObject({ code: 'upstream_protocol' });
  await expect(channel.send({ ...GET, headersTimeoutMs: 50 })).rejects.toMatchObject({ code: 'upstream_timeout' });
});

test('drain lets what runs finish, refuses what is new, and counts what it had to cut', async () => {
  const responses: ServerResponse[] = [];
  const clock = new ManualClock();
  const { channel } = await open((_, response) => {
    responses.push(response);
    response.write('begun ');
  }, clock);
  const finishing = await channel.send(GET);
  const endless = await channel.send(GET);
  const drained = channel.drain(30_000);
  expect(channel.closed).toBe(true);
  await expect(channel.send(GET)).rejects.toMatchObject({ code: 'channel_closed' });
  responses[0]?.end('done');
  expect(await finishing.text(100)).toBe('begun done');
  expect(channel.active).toBe(1);
  const stream = readAll(endless.stream());
  clock.advance(30_000);
  await expect(stream).rejects.toMatchObject({ code: 'drain_timeout' });
  expect(await drained).toBe(1);
  expect(channel.active).toBe(0);
});

test('drain without a deadline ends with the last body', async () => {
  let finish: (() => void) | undefined;
  const { channel } = await open((_, response) => {
    response.write('begun ');
    finish = () => response.end('done');
  });
  const response = await channel.send(GET);
  const drained = channel.drain(Number.POSITIVE_INFINITY);
  finish?.();
  expect(await response.text(100)).toBe('begun done');
  expect(await drained).toBe(0);
});

test('destroy ends everything with its error: bodies, waiting requests, connections being made', async () => {
  const { channel } = await open((request, response) => {
    if (request.url === '/body') response.write('begun');
  });
  const body = await channel.send({ ...GET, path: '/body' });
  const unread = await channel.send({ ...GET, path: '/body' });
  const waiting = channel.send(GET);
  const text = body.text(100);
  const error = new GatewayError('tls_client_certificate_revoked', 'withdrawn');
  channel.destroy(error);
  channel.destroy(over);
  await expect(text).rejects.toBe(error);
  await expect(waiting).rejects.toBe(error);
  await expect(unread.text(100)).rejects.toBe(error);
  await expect(channel.send(GET)).rejects.toMatchObject({ code: 'channel_closed' });
  expect(channel.active).toBe(0);
});

test('a body nobody reads frees its connection when short and is given up after a minute when long', async () => {
  const clock = new ManualClock();
  const { channel } = await open((request, response) => {
    if (request.url === '/long') megabyte(request, response);
    else response.end('short');
  }, clock);
  const ended = Promise.withResolvers<unknown>();
  await channel.send({ ...GET, onEnd: (failure) => ended.resolve(failure) });
  expect(await ended.promise).toBeUndefined();

  const givenUp = Promise.withResolvers<unknown>();
  const response = await channel.send({ ...GET, path: '/long', onEnd: (failure) => givenUp.resolve(failure) });
  while (clock.pending === 0) await setImmediate();
  clock.advance(60_000);
  expect(await givenUp.promise).toMatchObject({ code: 'internal' });
  await expect(response.text(10)).rejects.toMatchObject({ code: 'internal' });
  expect(channel.active).toBe(0);
});

/** A server whose TCP connections are counted as they come: an HTTP server of Bun sees one with its first request. */
async function openRaw(clock: Clock = systemClock) {
  const sockets: Socket[] = [];
  const server = await startRawServer((socket) => {
    sockets.push(socket);
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  const dialer = createDialer(RUNTIME, { events: () => {}, clock, contextCache: { maxIdle: 0 } });
  const channel = await dialer.open(undefined, `http://127.0.0.1:${server.port}`);
  opened.push({ channel, upstream: server });
  return { channel, sockets, left: () => sockets.filter(({ closed }) => !closed).length };
}

test('a connection opened ahead that no request takes is closed before its server would', async () => {
  const clock = new ManualClock();
  const { channel, sockets, left } = await openRaw(clock);
  await channel.warm(2);
  expect(await (await channel.send(GET)).text(10)).toBe('ok');
  await expect.poll(() => sockets.length).toBe(2);
  clock.advance(4_000);
  await expect.poll(left).toBe(1);
  expect(await (await channel.send(GET)).text(10)).toBe('ok');
  expect(sockets).toHaveLength(2);
});

test('a connection opened ahead that its server closed is not taken', async () => {
  const { channel, sockets, left } = await openRaw();
  await channel.warm(1);
  await expect.poll(left).toBe(1);
  // closes once the other side has ended as well
  sockets[0]?.end();
  await expect.poll(left).toBe(0);
  expect(await (await channel.send(GET)).text(10)).toBe('ok');
  expect(sockets).toHaveLength(2);
});
