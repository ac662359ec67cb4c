import { beforeEach, describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import type { Fields } from '../../../src/base/fields.ts';
import { LegacyCall } from '../../../src/bridge/modern-to-legacy/legacy-call.ts';
import type { CallOptions } from '../../../src/bridge/modern-to-legacy/legacy-call.ts';
import type { Turn } from '../../../src/bridge/modern-to-legacy/waiting-call.ts';
import { UpstreamSessions } from '../../../src/bridge/modern-to-legacy/upstream-sessions.ts';
import { grantUpkeep } from '../../../src/policy/grant.ts';
import { textResponse } from '../../../src/upstream/ready-response.ts';
import { messageAnswer, scriptPeer } from '../../support/legacy-peer.ts';
import type { LegacyPeer } from '../../support/legacy-peer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { ScriptedStream } from '../../support/scripted-server.ts';

let clock: ManualClock;
let peer: LegacyPeer;
let heard: Fields[];

beforeEach(() => {
  clock = new ManualClock();
  peer = scriptPeer();
  heard = [];
});

const capabilities = { elicitation: {}, sampling: {} };
const tell = (notification: Fields): void => void heard.push(notification);
/** Lets what was said travel. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function begin(more: Partial<CallOptions> = {}, params: Fields = {}): Promise<LegacyCall> {
  const call = new LegacyCall({
    sessions: new UpstreamSessions(peer.upstream, clock),
    clock,
    caller: { grant: grantUpkeep('ann'), capabilities, passed: {} },
    request: { jsonrpc: '2.0', id: 'theirs', method: 'tools/call', params: { name: 't', ...params } },
    logLevel: undefined,
    onListChanged: () => undefined,
    ...more,
  });
  await call.start(tell);
  return call;
}

/** What `next` came to, once it has. */
function follow(call: LegacyCall) {
  const seen: { turn?: Turn; error?: GatewayError } = {};
  call.next(tell).then(
    (turn) => (seen.turn = turn),
    (error: GatewayError) => (seen.error = error),
  );
  return seen;
}

const last = (): ScriptedStream => peer.streams.at(-1) as ScriptedStream;
const ownId = (): unknown => peer.of('tools/call').at(-1)?.message['id'];
const say = async (message: object): Promise<void> => {
  last().emit({ jsonrpc: '2.0', ...message });
  await settle();
};
const question = (id: string | number, method = 'elicitation/create') =>
  say({ id, method, params: { message: `${id}` } });
const result = () => say({ id: ownId(), result: { content: [] } });

describe('questions', () => {
  test('go to the caller together, once the server has been quiet for a moment', async () => {
    const seen = follow(await begin());
    await question('a');
    clock.advance(49);
    await question('b', 'sampling/createMessage');
    clock.advance(49);
    await settle();
    expect(seen.turn).toBeUndefined();
    clock.advance(1);
    await settle();
    expect(seen.turn).toMatchObject({
      kind: 'asks',
      inputRequests: {
        'elicitation-1': { method: 'elicitation/create', params: { message: 'a' } },
        'sampling-2': { method: 'sampling/createMessage', params: { message: 'b' } },
      },
    });
    expect(clock.pending).toBe(0);
  });

  test('are not asked when the answer comes meanwhile', async () => {
    const seen = follow(await begin());
    await question(1);
    await result();
    expect(seen.turn).toMatchObject({ kind: 'answered', answer: { result: { content: [] } } });
  });

  test('are not asked when the server withdraws them', async () => {
    const seen = follow(await begin());
    await question(1);
    await say({ method: 'notifications/cancelled', params: { requestId: 1 } });
    clock.advance(1_000);
    await settle();
    expect(seen).toEqual({});
    await result();
    expect(seen.turn?.kind).toBe('answered');
  });

  test('are answered in the session, under the ids of the server; what is left open is asked again', async () => {
    const call = await begin();
    const first = follow(call);
    await question('a');
    await question(2);
    clock.advance(50);
    await settle();
    expect(first.turn?.kind).toBe('asks');
    await call.answer({ 'elicitation-1': { action: 'decline' }, 'elicitation-9': {}, 'elicitation-2': 7 });
    expect(peer.of('response')).toMatchObject([{ session: 's1', message: { id: 'a', result: { action: 'decline' } } }]);
    const second = follow(call);
    clock.advance(50);
    await settle();
    expect(second.turn).toMatchObject({ inputRequests: { 'elicitation-2': { params: { message: '2' } } } });
    await call.answer({ 'elicitation-2': { action: 'cancel' } });
    const third = follow(call);
    await result();
    expect(third.turn?.kind).toBe('answered');
  });

  test('nobody may be asked are refused, pings answered', async () => {
    const seen = follow(await begin());
    await say({ id: 'p', method: 'ping' });
    await question('r', 'roots/list');
    await say({ id: 'u', method: 'elicitation/create', params: { mode: 'url', url: 'https://a.example' } });
    expect(peer.of('response').map(({ message }) => message)).toMatchObject([
      { id: 'p', result: {} },
      { id: 'r', error: { code: -32601 } },
      { id: 'u', error: { code: -32601 } },
    ]);
    expect(seen).toEqual({});
  });

  test('are refused where the method has no place for them', async () => {
    await begin({ request: { jsonrpc: '2.0', id: 1, method: 'completion/complete' } });
    await question(1);
    expect(peer.of('response')).toMatchObject([{ message: { id: 1, error: { code: -32601 } } }]);
  });

  test('without end fail the call: the server would never be quiet', async () => {
    const seen = follow(await begin());
    for (let id = 0; id < 65; id++) await question(id);
    expect(seen.error).toMatchObject({ code: 'upstream_protocol' });
    expect(last().isCancelled || peer.of('tools/call').at(-1)?.signal?.aborted).toBe(true);
  });

  test('whose answers reach a session that is gone fail the call', async () => {
    const call = await begin();
    await question(1);
    peer.take = () => textResponse(404, '');
    const answered = call.answer({ 'elicitation-1': { action: 'accept' } });
    await expect(answered).rejects.toMatchObject({ code: 'upstream_session_lost' });
    await expect(call.next(tell)).rejects.toMatchObject({ code: 'upstream_session_lost' });
    expect(peer.of('tools/call')[0]?.signal?.aborted).toBe(true);
  });
});

describe('what comes before the answer', () => {
  test('is heard under the token of the caller, and only while somebody listens', async () => {
    const call = await begin({}, { _meta: { progressToken: 'mine' } });
    const progress = (at: number) =>
      say({ method: 'notifications/progress', params: { progressToken: ownId(), progress: at } });
    await progress(1);
    const seen = follow(call);
    await progress(2);
    await question(1);
    clock.advance(50);
    await settle();
    expect(seen.turn?.kind).toBe('asks');
    await progress(3);
    const again = follow(call);
    await progress(4);
    await say({ method: 'notifications/message', params: { level: 'error', data: 'unasked' } });
    expect(heard.map(({ params }) => params)).toEqual([1, 2, 4].map((at) => ({ progressToken: 'mine', progress: at })));
    expect(again).toEqual({});
  });

  test('tells when a listing changed', async () => {
    const changed: string[] = [];
    await begin({ onListChanged: (method) => void changed.push(method) });
    await say({ method: 'notifications/tools/list_changed' });
    expect(changed).toEqual(['notifications/tools/list_changed']);
  });

  test('log lines are asked for once per session', async () => {
    const sessions = new UpstreamSessions(peer.upstream, clock);
    for (const level of ['info', 'info', 'debug']) {
      await begin({ sessions, logLevel: level });
      await result();
    }
    expect(peer.of('logging/setLevel').map(({ message }) => message['params'])).toEqual([
      { level: 'info' },
      { level: 'debug' },
    ]);
    peer = scriptPeer({ logging: false });
    await begin({ logLevel: 'info' });
    expect(peer.of('logging/setLevel')).toEqual([]);
  });
});

describe('the answer', () => {
  test('frees the session for the next call, and the stream after a while, should the server keep it', async () => {
    const sessions = new UpstreamSessions(peer.upstream, clock);
    await begin({ sessions });
    await result();
    const [sent] = peer.of('tools/call');
    expect(sent?.signal?.aborted).toBe(false);
    clock.advance(2_000);
    expect(sent?.signal?.aborted).toBe(true);
    await begin({ sessions });
    expect(peer.of('initialize')).toHaveLength(1);
    expect(peer.of('tools/call').map(({ session }) => session)).toEqual(['s1', 's1']);
  });

  test('may be an error without an id: the server could not read the request', async () => {
    const seen = follow(await begin());
    await say({ id: 'somebody', result: {} });
    expect(seen).toEqual({});
    await say({ id: null, error: { code: -32600, message: 'no' } });
    expect(seen.turn).toMatchObject({ kind: 'answered', answer: { error: { code: -32600 } } });
  });

  test('may come on another stream, when the server ended the first to spare a connection', async () => {
    const seen = follow(await begin());
    const first = last();
    first.write('id: e1\nretry: 500\ndata:\n\n');
    await settle();
    first.end();
    await settle();
    clock.advance(499);
    expect(peer.of('GET')).toEqual([]);
    clock.advance(1);
    await settle();
    expect(peer.of('GET')).toMatchObject([{ session: 's1', headers: { 'last-event-id': 'e1' } }]);
    await result();
    expect(seen.turn?.kind).toBe('answered');
  });

  test('never comes from a stream that ends for good', async () => {
    const seen = follow(await begin());
    last().end();
    await settle();
    expect(seen.error).toMatchObject({ code: 'upstream_protocol' });
    await expect.poll(() => peer.ended()).toEqual(['s1']);
  });

  test('never comes from streams that break again and again', async () => {
    const seen = follow(await begin());
    last().write('id: e1\ndata:\n\n');
    for (let round = 0; round < 5; round++) {
      await settle();
      last().end();
      await settle();
      clock.advance(1_000);
      await settle();
    }
    expect(peer.of('GET')).toHaveLength(4);
    expect(seen.error).toMatchObject({ code: 'upstream_protocol' });
  });
});

test('a session that is lost is opened once more; lost again, the call fails', async () => {
  peer.answer = ({ session, message }) =>
    message['method'] === 'tools/call' && session === 's1' ? textResponse(404, '') : undefined;
  const seen = follow(await begin());
  await result();
  expect(seen.turn?.kind).toBe('answered');
  expect(peer.of('tools/call').map(({ session }) => session)).toEqual(['s1', 's2']);
  peer.answer = ({ message }) => (message['method'] === 'tools/call' ? textResponse(404, '') : undefined);
  await expect(begin()).rejects.toMatchObject({ code: 'upstream_session_lost' });
});

test('an answer in one piece, or a refusal, is known when the call has begun', async () => {
  peer.answer = ({ message }) =>
    message['method'] === 'tools/call' ? messageAnswer({ id: message['id'], result: {} }) : undefined;
  const call = await begin();
  expect(await call.next(tell)).toMatchObject({ kind: 'answered' });
  peer.answer = ({ message }) => (message['method'] === 'tools/call' ? textResponse(401, '') : undefined);
  await expect(begin()).rejects.toMatchObject({ code: 'upstream_auth_refused' });
  await expect.poll(() => peer.ended()).toContain('s2');
});

describe('a call that is cancelled', () => {
  const reason = new GatewayError('call_cancelled', 'gone');

  test('says so to the server, then lets go of stream and session, once', async () => {
    const call = await begin();
    const seen = follow(call);
    await Promise.all([call.cancel(reason), call.cancel(reason)]);
    await settle();
    expect(peer.of('notifications/cancelled')).toMatchObject([
      { session: 's1', message: { params: { requestId: ownId() } } },
    ]);
    expect(peer.requests.at(-1)?.method).toBe('DELETE');
    expect(peer.of('tools/call')[0]?.signal?.aborted).toBe(true);
    expect(seen.error).toBe(reason);
    expect(clock.pending).toBe(0);
  });

  test('after its answer, stays answered', async () => {
    const call = await begin();
    const seen = follow(call);
    await result();
    await call.cancel(reason);
    expect(seen.turn?.kind).toBe('answered');
    expect(peer.of('notifications/cancelled')).toEqual([]);
  });

  test('before it was sent, is not sent', async () => {
    const call = new LegacyCall({
      sessions: new UpstreamSessions(peer.upstream, clock),
      clock,
      caller: { grant: grantUpkeep('ann'), capabilities, passed: {} },
      request: { jsonrpc: '2.0', id: 1, method: 'tools/call' },
      logLevel: undefined,
      onListChanged: () => undefined,
    });
    const begun = call.start(tell);
    await call.cancel(reason);
    await expect(begun).rejects.toBe(reason);
    expect(peer.of('tools/call')).toEqual([]);
    expect(peer.of('notifications/cancelled')).toEqual([]);
  });
});
