/** What a pipe keeps open beyond single requests: the session, the standing stream, the rest of a broken answer. */
import { expect, test, vi } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import type { PipeAnswer } from '../../../src/http/mcp/pipe/pipe-answer.ts';
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
import type { Asked } from '../../support/scripted-server.ts';

const LEFT = new GatewayError('call_cancelled', 'the client left');
const settled = () => new Promise(setImmediate);
/** Beyond every pause there is. */
const LONG_MS = 60_000;

/** An open session with a server whose GET answers are `streams`, one after the other, then 405. */
async function listening(
  clock: ManualClock,
  streams: (PipeAnswer | Error)[],
  others?: (asked: Asked) => PipeAnswer | Promise<PipeAnswer>,
) {
  let sessions = 0;
  const server = scriptServer((asked) => {
    if (asked.message.method === 'initialize') return initialized(asked, `session-${++sessions}`);
    if (asked.message.method === 'tools/call') return others?.(asked);
    if (asked.method !== 'GET') return undefined;
    const next = streams.shift();
    if (next instanceof Error) throw next;
    return next;
  });
  const client = openPipe(server, clock);
  await client.say(initialize);
  await client.say(notify('notifications/initialized'));
  const untilListening = (count: number) =>
    vi.waitFor(() => {
      clock.advance(LONG_MS);
      expect(server.askedFor('GET')).toHaveLength(count);
    });
  return { ...client, texts: client.texts, server, untilListening };
}

test('the standing stream is opened again where it left off, after a pause, until the server has none', async () => {
  const clock = new ManualClock();
  const [first, second] = [streamAnswer(), streamAnswer()];
  const refused = new GatewayError('tcp_refused', 'nobody listens there');
  const client = await listening(clock, [first.answer, textResponse(503, ''), refused, second.answer]);
  expect(client.server.askedFor('GET')).toHaveLength(1);
  first.emit(notify('notifications/tools/list_changed'), 'event-7');
  await vi.waitFor(() => expect(client.texts).toHaveLength(2));
  first.end();
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  expect(client.server.askedFor('GET')).toHaveLength(1);
  await client.untilListening(4);
  second.write('retry: 120000\n\n');
  await settled();
  second.fail(new GatewayError('connection_lost', 'the connection broke'));
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  clock.advance(119_000);
  await settled();
  expect(client.server.askedFor('GET')).toHaveLength(4);
  clock.advance(1_000);
  await vi.waitFor(() => expect(client.server.askedFor('GET')).toHaveLength(5));
  const lastEventIds = client.server.askedFor('GET').map(({ headers }) => headers['last-event-id']);
  expect(lastEventIds).toEqual([undefined, 'event-7', 'event-7', 'event-7', 'event-7']);
  // the fifth was answered 405
  await vi.waitFor(() => expect(clock.pending).toBe(0));
  expect(client.failures.map(({ code }) => code)).toEqual(['upstream_http_status', 'tcp_refused', 'connection_lost']);
  await client.pipe.close(LEFT);
});

test('the pauses between attempts grow to a minute at most', async () => {
  const clock = new ManualClock();
  const client = await listening(clock, Array<PipeAnswer>(12).fill(textResponse(503, '')));
  const pauses: number[] = [];
  for (let count = 1; count <= 10; count++) {
    await vi.waitFor(() => expect([clock.pending, client.server.askedFor('GET').length]).toEqual([1, count]));
    const startMs = clock.nowMs();
    while (clock.pending > 0) clock.advance(100);
    pauses.push(clock.nowMs() - startMs);
  }
  for (const [index, pauseMs] of pauses.entries()) {
    const fullMs = Math.min(60_000, 1_000 * 2 ** index);
    expect(pauseMs).toBeGreaterThanOrEqual(fullMs / 2);
    expect(pauseMs).toBeLessThanOrEqual(fullMs + 100);
  }
  await client.pipe.close(LEFT);
});

test('a stream that told something is missed for a second only, however often others broke before', async () => {
  const clock = new ManualClock();
  const stream = streamAnswer();
  const client = await listening(clock, [...Array<PipeAnswer>(5).fill(textResponse(503, '')), stream.answer]);
  await client.untilListening(6);
  stream.emit(notify('notifications/tools/list_changed'));
  stream.end();
  await vi.waitFor(() => expect(client.texts).toHaveLength(2));
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  clock.advance(1_000);
  await vi.waitFor(() => expect(client.server.askedFor('GET')).toHaveLength(7));
  await client.pipe.close(LEFT);
});

test('a session the server lost is opened again once, for all who need it, and the message sent again', async () => {
  const clock = new ManualClock();
  const threeAsked = Promise.withResolvers<void>();
  const client = await listening(clock, [], async (asked) => {
    if (asked.message.id === 3) threeAsked.resolve();
    await threeAsked.promise;
    const isLost = asked.headers['mcp-session-id'] === 'session-1';
    return isLost ? textResponse(404, '') : jsonAnswer(resultFor(asked));
  });
  for (const id of [1, 2, 3]) await client.say(call(id));
  await client.pipe.finish();
  const answers = client.texts.slice(1).map((text) => JSON.parse(text) as { id: number; result?: object });
  expect(new Map(answers.map(({ id, result }) => [id, result]))).toEqual(new Map([1, 2, 3].map((id) => [id, {}])));
  expect(client.server.askedFor('initialize')).toHaveLength(2);
  const sent = client.server.askedFor('tools/call').map(({ headers }) => headers['mcp-session-id']);
  expect(sent).toEqual(['session-1', 'session-1', 'session-1', 'session-2', 'session-2', 'session-2']);
  expect(client.server.askedFor('notifications/initialized')).toHaveLength(2);
  await client.pipe.close(LEFT);
  expect(client.server.askedFor('DELETE').map(({ headers }) => headers['mcp-session-id'])).toEqual(['session-2']);
});

test('a server that will not open the session again is quoted, and asked anew by the next message', async () => {
  let initializations = 0;
  const server = scriptServer((asked) => {
    if (asked.message.method !== 'initialize')
      return asked.message.id === undefined ? undefined : textResponse(404, '');
    return ++initializations === 1 ? initialized(asked, 's') : textResponse(503, '');
  });
  const client = openPipe(server, new ManualClock());
  await client.say(initialize);
  for (const id of [1, 2]) {
    await client.say(call(id));
    await vi.waitFor(() => expect(client.received).toHaveLength(id + 1));
    expect(client.received[id]).toMatchObject({ id, error: { data: { code: 'upstream_http_status' } } });
  }
  expect(initializations).toBe(3);
  await client.pipe.close(LEFT);
});

test('a standing stream whose session was lost opens the session again', async () => {
  const clock = new ManualClock();
  const stream = streamAnswer();
  const client = await listening(clock, [textResponse(404, ''), stream.answer]);
  await client.untilListening(2);
  const sessions = client.server.askedFor('GET').map(({ headers }) => headers['mcp-session-id']);
  expect(sessions).toEqual(['session-1', 'session-2']);
  await client.pipe.close(LEFT);
  expect(stream.isCancelled).toBe(true);
});

test('the rest of a legacy answer is asked for where its stream broke', async () => {
  const clock = new ManualClock();
  const [first, rest] = [streamAnswer(), streamAnswer()];
  const client = await listening(clock, [textResponse(405, ''), rest.answer], () => first.answer);
  await client.say(call(1));
  first.write('id: 0\ndata:\n\n');
  first.emit(notify('notifications/progress'), '1');
  await vi.waitFor(() => expect(client.texts).toHaveLength(2));
  first.end();
  await client.untilListening(2);
  expect(client.server.askedFor('GET')[1]?.headers['last-event-id']).toBe('1');
  rest.emit({ jsonrpc: '2.0', id: 1, result: {} }, '2');
  rest.end();
  await client.pipe.finish();
  expect(JSON.parse(client.texts[2] ?? '')).toMatchObject({ id: 1, result: {} });
  await client.pipe.close(LEFT);
});

test('a broken answer without event ids, or of the modern era, is an error at once; one that stays broken is in the end', async () => {
  const clock = new ManualClock();
  const broken = (id?: string) => {
    const stream = streamAnswer();
    stream.emit(notify('notifications/message'), id);
    stream.end();
    return stream.answer;
  };
  const empty = () => {
    const stream = streamAnswer();
    stream.end();
    return stream.answer;
  };
  const client = await listening(
    clock,
    [textResponse(405, ''), empty(), empty(), empty(), empty(), empty(), empty()],
    ({ message }) => broken(message.id === 1 ? undefined : '7'),
  );
  await client.say(call(1));
  await client.say(modernCall(2));
  const codesOf = () =>
    client.texts.map((text) => JSON.parse(text) as { id?: unknown; error?: object }).filter(({ error }) => error);
  await vi.waitFor(() => expect(codesOf()).toHaveLength(2));
  expect(client.server.askedFor('GET')).toHaveLength(1);
  await client.say(call(3));
  await vi.waitFor(() => {
    clock.advance(LONG_MS);
    expect(codesOf()).toHaveLength(3);
  });
  expect(codesOf()[2]).toMatchObject({ id: 3, error: { data: { code: 'connection_lost' } } });
  expect(client.server.askedFor('GET')).toHaveLength(6);
  await client.pipe.close(LEFT);
});

test('a second initialize ends the session before it', async () => {
  const client = await listening(new ManualClock(), []);
  await client.say({ ...initialize, id: 'again' });
  await vi.waitFor(() => expect(client.texts).toHaveLength(2));
  expect(client.server.askedFor('DELETE').map(({ headers }) => headers['mcp-session-id'])).toEqual(['session-1']);
  await client.pipe.close(LEFT);
});

test('a server that does not take the end of a session is left after a second', async () => {
  const clock = new ManualClock();
  const server = scriptServer((asked) => {
    if (asked.message.method === 'initialize') return initialized(asked, 's');
    return asked.method === 'DELETE' ? new Promise<PipeAnswer>(() => undefined) : undefined;
  });
  const client = openPipe(server, clock);
  await client.say(initialize);
  await client.pipe.finish();
  const closing = client.pipe.close(LEFT);
  await vi.waitFor(() => expect(server.askedFor('DELETE')).toHaveLength(1));
  clock.advance(1_000);
  await closing;
});
