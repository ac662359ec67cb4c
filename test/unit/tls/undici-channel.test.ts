import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node/clock.ts';
import { createNodeDialer } from '../../../adapters/node/dialer/dialer.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import type { Channel, ChannelRequest } from '../../../src/tls/dialer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startUpstream, type TestUpstream } from '../../support/tls-upstream.ts';

const GET: ChannelRequest = { method: 'GET', path: '/', headers: {} };
const over = new GatewayError('channel_closed', 'the test is over');
const opened: { channel: Channel; upstream: TestUpstream }[] = [];

afterEach(async () => {
  for (const { channel, upstream } of opened.splice(0)) {
    channel.destroy(over);
    await upstream.close();
  }
});

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

async function open(handle?: Handle, clock = systemClock): Promise<{ channel: Channel; upstream: TestUpstream }> {
  const upstream = await startUpstream(handle && { handle });
  const dialer = createNodeDialer({ events: () => {}, clock, contextCache: { maxIdle: 0 } });
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
    response.write(euro.subarray(0, 1), () => setImmediate(() => response.end(euro.subarray(1))));
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
  let total = 0;
  reader.releaseLock();
  await reader.closed.catch(() => {});
  void total;
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
  expect((await reader.read()).value).toEqual(new Uint8Array(Buffer.from('event')));
  await reader.cancel();
  await closed.promise;
  expect(ends).toEqual([undefined]);
  expect(channel.active).toBe(0);
});

test('an abort ends the wait for headers and a body being read', async () => {
  const { channel, upstream } = await open((request, response) => {
    if (request.url === '/body') response.write('begun');
  });
  const waiting = new AbortController();
  const reason = new GatewayError('call_cancelled', 'the caller left');
  const arrived = once({ on: () => {}, once: () => {} } as never, 'x').catch(() => {});
  void arrived;
  const pending = channel.send({ ...GET, path: '/headers', signal: waiting.signal });
  while (upstream.requests.length === 0) await new Promise(setImmediate);
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
  const other = channel.send({ ...GET, path: '/other' });
  aborted.abort(new Error('left'));
  await expect(never).rejects.toThrow('left');
  expect(await (await other).text(10)).toBe('ok');
  expect(upstream.requests.map(({ path }) => path)).toEqual(['/other']);
});
