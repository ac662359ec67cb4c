import { beforeEach, expect, test } from 'vitest';
import type { Fields } from '../../../src/base/fields.ts';
import { listenLegacy } from '../../../src/bridge/modern-to-legacy/listen-legacy.ts';
import { UpstreamSessions } from '../../../src/bridge/modern-to-legacy/upstream-sessions.ts';
import { grantUpkeep } from '../../../src/policy/grant.ts';
import { textResponse } from '../../../src/upstream/ready-response.ts';
import { sseEvents } from '../../../src/wire/sse.ts';
import { messageAnswer, scriptPeer } from '../../support/legacy-peer.ts';
import type { LegacyPeer, PeerRequest } from '../../support/legacy-peer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { ScriptedStream } from '../../support/scripted-server.ts';

let clock: ManualClock;
let peer: LegacyPeer;
let leaving: AbortController;
let changed: string[];

beforeEach(() => {
  clock = new ManualClock();
  peer = scriptPeer();
  peer.answer = subscribing;
  leaving = new AbortController();
  changed = [];
});

const subscribing = ({ message }: PeerRequest) => {
  const { method, id, params } = message;
  if (method === 'resources/unsubscribe') return messageAnswer({ id, result: {} });
  if (method !== 'resources/subscribe') return undefined;
  const { uri } = params as { uri: string };
  return messageAnswer(uri === 'a://no' ? { id, error: { code: -32602, message: 'no' } } : { id, result: {} });
};
const settle = () => new Promise((resolve) => setImmediate(resolve));
const last = (): ScriptedStream => peer.streams.at(-1) as ScriptedStream;
const say = async (message: object): Promise<void> => {
  last().emit({ jsonrpc: '2.0', ...message });
  await settle();
};

/** What a listener has heard so far, the acknowledgement first; `end` once its stream has ended. */
async function listen(notifications: Fields): Promise<(Fields | 'end')[]> {
  const response = listenLegacy({
    clock,
    sessions: new UpstreamSessions(peer.upstream, clock),
    caller: { grant: grantUpkeep('ann'), capabilities: {}, passed: {} },
    request: { jsonrpc: '2.0', id: 'l', method: 'subscriptions/listen', params: { notifications } },
    capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
    signal: leaving.signal,
    onListChanged: (method) => void changed.push(method),
  });
  const heard: (Fields | 'end')[] = [];
  const read = async (): Promise<void> => {
    for await (const { data } of sseEvents(response.stream())) if (data) heard.push(JSON.parse(data) as Fields);
    heard.push('end');
  };
  void read();
  await settle();
  await settle();
  return heard;
}

const everything = { toolsListChanged: true, resourceSubscriptions: ['a://1', 'a://no'] };
const methods = (heard: readonly (Fields | 'end')[]) => heard.map((one) => (one === 'end' ? one : one['method']));

test('what the server grants is acknowledged once its stream is open; changes are told to the gateway as well', async () => {
  const heard = await listen(everything);
  expect(heard).toMatchObject([
    { params: { notifications: { toolsListChanged: true, resourceSubscriptions: ['a://1'] } } },
  ]);
  await say({ method: 'notifications/tools/list_changed' });
  await say({ method: 'notifications/resources/updated', params: { uri: 'a://1' } });
  expect(heard.slice(1)).toMatchObject([
    {
      method: 'notifications/tools/list_changed',
      params: { _meta: { 'io.modelcontextprotocol/subscriptionId': 'l' } },
    },
    { method: 'notifications/resources/updated', params: { uri: 'a://1' } },
  ]);
  expect(changed).toEqual(['notifications/tools/list_changed']);
});

test('a server that sends the headers of its stream late does not keep the listener waiting', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const send = peer.upstream.send.bind(peer.upstream);
  peer.upstream.send = async (grant, request) => {
    if (request.method === 'GET') await promise;
    return send(grant, request);
  };
  const heard = await listen(everything);
  clock.advance(299);
  await settle();
  expect(heard).toEqual([]);
  clock.advance(1);
  await settle();
  expect(methods(heard)).toEqual(['notifications/subscriptions/acknowledged']);
  resolve();
  await settle();
  await say({ method: 'notifications/tools/list_changed' });
  expect(heard).toHaveLength(2);
});

test('a server that refuses the stream grants nothing, and the listener is let go', async () => {
  peer.answer = (request) => (request.method === 'GET' ? textResponse(405, '') : subscribing(request));
  const heard = await listen(everything);
  await settle();
  expect(heard).toMatchObject([{ params: { notifications: {} } }, 'end']);
  await expect.poll(() => peer.ended()).toEqual(['s1']);
});

test('where nothing can be told nobody is asked, and the stream stays open', async () => {
  const heard = await listen({ promptsListChanged: true });
  expect(heard).toMatchObject([{ params: { notifications: {} } }]);
  expect(peer.requests).toEqual([]);
  leaving.abort();
  await settle();
  expect(heard.at(-1)).toBe('end');
});

test('who leaves takes back its subscriptions and ends the session', async () => {
  await listen(everything);
  leaving.abort();
  await expect.poll(() => peer.ended()).toEqual(['s1']);
  expect(peer.of('resources/unsubscribe').map(({ message }) => message['params'])).toEqual([{ uri: 'a://1' }]);
});

test('questions on the stream are answered here: pings with a pong, the rest with a refusal', async () => {
  await listen(everything);
  await say({ id: 1, method: 'ping' });
  await say({ id: 2, method: 'roots/list' });
  expect(peer.of('response').map(({ message }) => message)).toMatchObject([
    { id: 1, result: {} },
    { id: 2, error: { code: -32601 } },
  ]);
});

test('a stream that breaks is opened again: from the last event, or with everything told as changed', async () => {
  const heard = await listen(everything);
  last().end();
  await settle();
  clock.advance(1_000);
  await settle();
  expect(methods(heard).slice(1)).toEqual(['notifications/tools/list_changed', 'notifications/resources/updated']);
  last().emit({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }, 'e7');
  await settle();
  last().end();
  await settle();
  clock.advance(1_000);
  await settle();
  expect(heard).toHaveLength(4);
  expect(peer.of('GET').map(({ headers }) => headers['last-event-id'])).toEqual([undefined, undefined, 'e7']);
});

test('a stream that cannot be opened again ends the subscription', async () => {
  const heard = await listen(everything);
  peer.answer = (request) => (request.method === 'GET' ? textResponse(404, '') : subscribing(request));
  last().end();
  await settle();
  clock.advance(1_000);
  await settle();
  await settle();
  expect(heard.at(-1)).toBe('end');
});
