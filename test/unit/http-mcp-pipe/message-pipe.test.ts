import { expect, test, vi } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { textResponse } from '../../../src/upstream/ready-response.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import {
  call,
  initialize,
  initialized,
  jsonAnswer,
  modernCall,
  notify,
  openPipe,
  resultFor,
  scriptServer,
  streamAnswer,
} from '../../support/scripted-server.ts';

const LEFT = new GatewayError('call_cancelled', 'the client left');
const settled = () => new Promise(setImmediate);

test('what initialize settles goes with every message after it, and the session is ended at the end', async () => {
  const server = scriptServer((asked) => {
    if (asked.message.method === 'initialize') return initialized(asked, 'session-1');
    return asked.message.method === 'tools/call' ? jsonAnswer(resultFor(asked)) : undefined;
  });
  const client = openPipe(server, new ManualClock());
  await client.say(initialize);
  await client.say(notify('notifications/initialized'));
  await client.say(call(1));
  await vi.waitFor(() => expect(server.askedFor('tools/call')).toHaveLength(1));
  await client.pipe.finish();
  await client.pipe.close(LEFT);
  const session = { 'mcp-session-id': 'session-1', 'mcp-protocol-version': '2025-11-25' };
  const types = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
  expect(server.asked.map(({ method, message, headers }) => [message.method ?? method, headers])).toEqual([
    ['initialize', types],
    ['notifications/initialized', { ...types, ...session }],
    ['GET', { accept: 'text/event-stream', ...session }],
    ['tools/call', { ...types, ...session }],
    ['DELETE', session],
  ]);
  expect(client.received.map(({ id }) => id)).toEqual(['init', 1]);
});

test('what is said before an initialize is answered waits for it, in order', async () => {
  const answered = Promise.withResolvers<void>();
  const server = scriptServer(async (asked) => {
    if (asked.message.method !== 'initialize') return jsonAnswer(resultFor(asked));
    await answered.promise;
    return initialized(asked, 's');
  });
  const client = openPipe(server, new ManualClock());
  const said = [initialize, notify('notifications/initialized'), call(1)].map((message) => client.say(message));
  await settled();
  expect(server.asked).toHaveLength(1);
  answered.resolve();
  await Promise.all(said);
  await client.pipe.finish();
  const order = server.asked.map(({ message }) => message.method).filter(Boolean);
  expect(order).toEqual(['initialize', 'notifications/initialized', 'tools/call']);
  expect(server.askedFor('tools/call')[0]?.headers).toMatchObject({ 'mcp-session-id': 's' });
});

test('requests run at the same time, and each answer goes out when it comes', async () => {
  const streams = new Map<unknown, ReturnType<typeof streamAnswer>>();
  const server = scriptServer((asked) => {
    const stream = streamAnswer();
    streams.set(asked.message.id, stream);
    return stream.answer;
  });
  const client = openPipe(server, new ManualClock());
  for (const id of [1, 2, 'three']) await client.say(call(id));
  await settled();
  streams.get('three')?.emit(notify('notifications/progress', { progress: 1 }));
  streams.get('three')?.emit({ jsonrpc: '2.0', id: 'three', result: {} });
  await vi.waitFor(() => expect(client.received).toHaveLength(2));
  streams.get(1)?.emit('{"jsonrpc":"2.0",\ndata: "id":1,\r\ndata: "result":{"text":"a\\nb"}}');
  await vi.waitFor(() => expect(client.received).toHaveLength(3));
  expect(client.received.map(({ id, method }) => id ?? method)).toEqual(['notifications/progress', 'three', 1]);
  expect(client.texts[2]).toBe('{"jsonrpc":"2.0", "id":1, "result":{"text":"a\\nb"}}');
  await client.pipe.close(LEFT);
  expect(client.received[3]).toMatchObject({ id: 2, error: { data: { code: 'call_cancelled' } } });
});

test('nothing is read from the server that the client does not take', async () => {
  const stream = streamAnswer();
  const taken = Promise.withResolvers<void>();
  const client = openPipe(
    scriptServer(() => stream.answer),
    new ManualClock(),
    () => taken.promise,
  );
  await client.say(call(1));
  for (let count = 0; count < 3; count++) stream.emit(notify('notifications/message'));
  await vi.waitFor(() => expect(client.texts).toHaveLength(1));
  await settled();
  expect(client.texts).toHaveLength(1);
  taken.resolve();
  await vi.waitFor(() => expect(client.texts).toHaveLength(3));
  await client.pipe.close(LEFT);
});

test('a request that failed is answered with an error and its id; what the answer says is passed on', async () => {
  const html = textResponse(200, '<html>', { 'content-type': 'text/html' });
  const problem = jsonAnswer({ code: 'token_expired', message: 'the token has expired', hint: 'get another' }, 401);
  const unread = jsonAnswer(
    { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'no', data: { code: 'x' } } },
    400,
  );
  const answers = [html, problem, unread, textResponse(502, ''), textResponse(307, ''), textResponse(202, '')];
  const server = scriptServer(() => {
    const next = answers.shift();
    if (next) return next;
    throw new GatewayError('tcp_refused', 'nobody listens there');
  });
  const client = openPipe(server, new ManualClock());
  for (let id = 0; id < 7; id++) await client.say(call(id));
  await client.pipe.finish();
  const errors = client.received
    .toSorted((a, b) => Number(a.id) - Number(b.id))
    .map(({ id, error }) => [id, error?.data.code, error?.message]);
  expect(errors).toEqual([
    [0, 'upstream_protocol', 'expected an MCP answer, met status 200 with text/html'],
    [1, 'token_expired', 'the token has expired'],
    [2, 'x', 'no'],
    [3, 'upstream_http_status', 'the server failed with status 502'],
    [4, 'upstream_redirect', 'the server redirects (status 307), which is never followed'],
    [5, 'upstream_protocol', 'expected an MCP answer, met status 202 with no content type'],
    [6, 'tcp_refused', 'nobody listens there'],
  ]);
  const failed = errors.flatMap(([id, code]) => (id === 2 ? [] : [code]));
  expect(new Set(client.failures.map(({ code }) => code))).toEqual(new Set(failed));
});

test('what is no message is answered with an error without an id, and the pipe goes on', async () => {
  const client = openPipe(
    scriptServer((asked) => jsonAnswer(resultFor(asked))),
    new ManualClock(),
  );
  for (const text of ['{', '[]', '{"jsonrpc":"2.0","id":null,"method":"ping"}', '"text"']) await client.say(text);
  await client.say(call(1));
  await client.pipe.finish();
  expect(client.received.map(({ id, error }) => [id, error?.code])).toEqual([
    [null, -32700],
    [null, -32600],
    [null, -32600],
    [null, -32600],
    [1, undefined],
  ]);
});

test('an id that is in flight is refused a second time, and free once it is answered', async () => {
  const stream = streamAnswer();
  const client = openPipe(
    scriptServer(() => stream.answer),
    new ManualClock(),
  );
  await client.say(call(1));
  await client.say(call(1));
  expect(client.received).toMatchObject([{ id: 1, error: { code: -32600 } }]);
  stream.emit({ jsonrpc: '2.0', id: 1, result: {} });
  await vi.waitFor(() => expect(client.received).toHaveLength(2));
  expect(client.pipe.isFull).toBe(false);
  await client.pipe.close(LEFT);
});

test('a modern request is cancelled by closing its stream: nothing is sent, and no answer comes', async () => {
  const stream = streamAnswer();
  const server = scriptServer((asked) => {
    if (asked.message.method === 'initialize') return initialized(asked, 's');
    // the second is cancelled before the server answers at all
    return asked.message.id === 1 ? stream.answer : undefined;
  });
  const client = openPipe(server, new ManualClock());
  await client.say(initialize);
  for (const id of [1, 2]) await client.say(modernCall(id));
  await vi.waitFor(() => expect(server.asked).toHaveLength(3));
  await settled();
  for (const requestId of [1, 2]) await client.say(notify('notifications/cancelled', { requestId }));
  await vi.waitFor(() => expect(stream.isCancelled).toBe(true));
  await client.pipe.finish();
  expect([server.asked.length, client.received.length]).toEqual([3, 1]);
  expect(server.asked[2]?.signal.aborted).toBe(true);
});

test('a legacy request is cancelled by telling the server, which need not answer or close', async () => {
  const stream = streamAnswer();
  const server = scriptServer((asked) => {
    if (asked.message.method === 'initialize') return initialized(asked, 's');
    return asked.message.method === 'tools/call' ? stream.answer : undefined;
  });
  const client = openPipe(server, new ManualClock());
  await client.say(initialize);
  await client.say(call(1));
  await vi.waitFor(() => expect(client.received).toHaveLength(1));
  await settled();
  await client.say(notify('notifications/cancelled', { requestId: 1 }));
  await client.pipe.finish();
  expect(server.askedFor('notifications/cancelled')).toHaveLength(1);
  expect([stream.isCancelled, client.received.length]).toEqual([true, 1]);
});

test('256 requests are in flight at most: the next waits ten seconds for one to end', async () => {
  const streams: ReturnType<typeof streamAnswer>[] = [];
  const server = scriptServer(() => {
    const stream = streamAnswer();
    streams.push(stream);
    return stream.answer;
  });
  const clock = new ManualClock();
  const client = openPipe(server, clock);
  for (let id = 0; id < 256; id++) await client.say(call(id));
  expect(client.pipe.isFull).toBe(true);
  const refused = client.say(call('late'));
  clock.advance(10_000);
  await refused;
  expect(client.received).toMatchObject([{ id: 'late', error: { code: -32000, data: { code: 'too_many_requests' } } }]);
  const admitted = client.say(call('later'));
  streams[7]?.emit({ jsonrpc: '2.0', id: 7, result: {} });
  await admitted;
  await vi.waitFor(() => expect(server.asked.at(-1)?.message.id).toBe('later'));
  await client.pipe.close(LEFT);
  expect(client.received).toHaveLength(2 + 256);
});

test('a server that leaves a stream open after the answer is left after a second', async () => {
  const stream = streamAnswer();
  const clock = new ManualClock();
  const client = openPipe(
    scriptServer(() => stream.answer),
    clock,
  );
  await client.say(call(1));
  stream.emit({ jsonrpc: '2.0', id: 1, result: {} });
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  stream.emit(notify('notifications/message'));
  expect(stream.isCancelled).toBe(false);
  clock.advance(1_000);
  await client.pipe.finish();
  expect([stream.isCancelled, client.received.length]).toEqual([true, 1]);
});

test('before an end nothing new is taken, what was asked is answered, and a subscription ends', async () => {
  const [calling, listening] = [streamAnswer(), streamAnswer()];
  const server = scriptServer(({ message }) => (message.method === 'tools/call' ? calling : listening).answer);
  const client = openPipe(server, new ManualClock());
  await client.say(modernCall(1));
  await client.say({ ...modernCall('sub'), method: 'subscriptions/listen' });
  await settled();
  client.pipe.stopListening();
  const finished = client.pipe.finish();
  await client.say(modernCall(2));
  await vi.waitFor(() => expect(client.received).toHaveLength(2));
  expect(client.received.map(({ id, error }) => [id, error?.data.code])).toEqual([
    [2, 'shutting_down'],
    ['sub', 'shutting_down'],
  ]);
  calling.emit({ jsonrpc: '2.0', id: 1, result: {} });
  calling.end();
  await finished;
  expect(client.received[2]).toMatchObject({ id: 1, result: {} });
  expect(listening.isCancelled).toBe(true);
});

test('a client that does not read is not answered without end', async () => {
  const server = scriptServer((asked) => jsonAnswer(resultFor(asked)));
  const stuck = Promise.withResolvers<void>();
  const client = openPipe(server, new ManualClock(), () => stuck.promise);
  for (let id = 0; !client.pipe.isFull && id < 1_000; id++) {
    await client.say(call(id));
    await settled();
  }
  expect(client.pipe.isFull).toBe(true);
  expect(client.texts).toHaveLength(256);
  const late = client.say(call('late'));
  await settled();
  expect(server.asked).toHaveLength(256);
  stuck.resolve();
  await late;
  await client.pipe.finish();
  expect(client.texts).toHaveLength(257);
  expect(client.received.at(-1)).toMatchObject({ id: 'late', result: {} });
});

test.each([
  ['refused', call('twice')],
  ['told to nobody', notify('notifications/progress')],
])('a flood of messages that are %s fills the pipe', async (_name, message) => {
  const silent = scriptServer((asked) => (asked.message.id === undefined ? new Promise(() => undefined) : undefined));
  const client = openPipe(silent, new ManualClock(), () => new Promise(() => undefined));
  void client.say(call('twice'));
  await settled();
  for (let count = 0; count < 255; count++) void client.say(message);
  await settled();
  expect(client.pipe.isFull).toBe(false);
  void client.say(message);
  await settled();
  expect(client.pipe.isFull).toBe(true);
});

test('no text of a result becomes a line of its own, whatever its reader takes for the end of one', async () => {
  const forged = '{"jsonrpc":"2.0","id":9,"result":{}}';
  const text = `a\u2028${forged}\u2029${forged}\nb`;
  const server = scriptServer((asked) => jsonAnswer(JSON.stringify(resultFor(asked, { text }), undefined, 1)));
  const client = openPipe(server, new ManualClock());
  await client.say(call(1));
  await client.pipe.finish();
  // as Node's readline parts lines
  expect(client.texts.join('\n').split(/\r?\n|\r(?!\n)|\u2028|\u2029/)).toHaveLength(1);
  expect(client.received).toEqual([{ jsonrpc: '2.0', id: 1, result: { text } }]);
});
