import { expect, test } from 'vitest';
import { localEffect } from '../../../src/bridge/legacy-to-modern/local-effect.ts';
import type { LegacySession, SessionContent } from '../../../src/session/legacy-session.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';

// only as real as the decision needs
const upstream = (capabilities: object) =>
  ({ config: { id: 'up' }, facts: { modern: { capabilities } } }) as unknown as Upstream;
const able = upstream({ logging: {}, resources: { subscribe: true } });
const session = {} as LegacySession;
const effectOf = (method: string, params = {}, server = able, inSession: LegacySession | undefined = session) =>
  localEffect({ jsonrpc: '2.0', id: 1, method, params }, server, inSession);
const after = (content: SessionContent, method: string, params = {}) => effectOf(method, params)?.(content);

test('what has no message in the modern era changes the session and nothing else', () => {
  expect(effectOf('tools/call')).toBeUndefined();
  expect(after({ logLevel: 'info' }, 'ping')).toEqual({ logLevel: 'info' });
  expect(after({ logLevel: 'info' }, 'logging/setLevel', { level: 'error' })).toEqual({ logLevel: 'error' });
  const one = after({ subscriptions: { other: ['b'] } }, 'resources/subscribe', { uri: 'a' }) ?? {};
  expect(one).toEqual({ subscriptions: { up: ['a'], other: ['b'] } });
  expect(after(one, 'resources/unsubscribe', { uri: 'a' })).toEqual({ subscriptions: { up: [], other: ['b'] } });
});

test('what changes nothing is the same content, so that nothing is stored', () => {
  const content = { logLevel: 'info', subscriptions: { up: ['a'] } };
  expect(after(content, 'ping')).toBe(content);
  expect(after(content, 'logging/setLevel', { level: 'info' })).toBe(content);
  expect(after(content, 'resources/subscribe', { uri: 'a' })).toBe(content);
  expect(after(content, 'resources/unsubscribe', { uri: 'b' })).toBe(content);
});

test('a session watches only so much', () => {
  const full = { subscriptions: { up: Array.from({ length: 500 }, (_, index) => `a:${index}`) } };
  expect(() => after(full, 'resources/subscribe', { uri: 'b' })).toThrow('at most 500');
  expect(after(full, 'resources/subscribe', { uri: 'a:1' })).toBe(full);
});

test.for([
  ['logging/setLevel', { level: 'info' }, upstream({}), session, -32601],
  ['resources/subscribe', { uri: 'a' }, upstream({ resources: {} }), session, -32601],
  ['resources/subscribe', { uri: 'a' }, able, undefined, -32602],
  ['resources/subscribe', { uri: 1 }, able, session, -32602],
  ['logging/setLevel', { level: 'INFO' }, able, session, -32602],
  ['server/discover', {}, able, session, -32601],
  ['subscriptions/listen', {}, able, session, -32601],
] as const)('%s with %j is refused as a legacy server would', ([method, params, server, inSession, rpcCode]) => {
  const request = { jsonrpc: '2.0', id: 1, method, params } as const;
  expect(() => localEffect(request, server, inSession)).toThrow(
    expect.objectContaining({ details: { rpcCode, rpcStatus: 200 } }),
  );
});
