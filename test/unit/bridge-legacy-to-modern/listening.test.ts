import { expect, test } from 'vitest';
import { filterOf, legacyNotification } from '../../../src/bridge/legacy-to-modern/listening.ts';
import { LegacySession } from '../../../src/session/legacy-session.ts';
import type { SessionContent } from '../../../src/session/legacy-session.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';

const session = (content: SessionContent) =>
  new LegacySession(
    'token',
    { id: 's', subject: 'ann', server: '*', initialize: {}, upstreams: {}, expiresAtMs: 0 },
    content,
    0,
  );
// only as real as a filter needs
const upstream = (capabilities: object) =>
  ({ config: { id: 'up' }, facts: { modern: { capabilities } } }) as unknown as Upstream;

test('what is listened to is what the server tells of and the session watches there', () => {
  const all = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
  };
  const watching = session({ subscriptions: { up: ['a:1', 'a:2'], other: ['b:1'] } });
  expect(filterOf(upstream(all), watching)).toEqual({
    toolsListChanged: true,
    promptsListChanged: true,
    resourcesListChanged: true,
    resourceSubscriptions: ['a:1', 'a:2'],
  });
  expect(filterOf(upstream({ resources: { subscribe: true } }), session({}))).toBeUndefined();
  expect(filterOf(upstream({ resources: {}, tools: {} }), watching)).toBeUndefined();
  expect(filterOf(upstream({ resources: { subscribe: true } }), watching)).toEqual({
    resourceSubscriptions: ['a:1', 'a:2'],
  });
});

test('a notification loses the subscription it came under, and nothing else', () => {
  const id = { 'io.modelcontextprotocol/subscriptionId': 'x' };
  const message = (params?: object) =>
    ({ jsonrpc: '2.0', method: 'n', ...(params && { params: { ...params } }) }) as const;
  expect(legacyNotification(message({ uri: 'a:1', _meta: id }))).toEqual(message({ uri: 'a:1' }));
  expect(legacyNotification(message({ _meta: { ...id, x: 1 } }))).toEqual(message({ _meta: { x: 1 } }));
  expect(legacyNotification(message({ _meta: id }))).toEqual(message());
  expect(legacyNotification(message())).toEqual(message());
});
