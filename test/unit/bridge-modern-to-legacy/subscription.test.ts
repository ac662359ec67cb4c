import { expect, test } from 'vitest';
import {
  acknowledgement,
  listenedNotification,
  missedNotifications,
  subscriptionOf,
} from '../../../src/bridge/modern-to-legacy/subscription.ts';
import { META } from '../../../src/wire/eras.ts';

const capabilities = { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true } };
const wanted = {
  toolsListChanged: true,
  promptsListChanged: true,
  resourcesListChanged: false,
  resourceSubscriptions: ['a://1', 'a://1', 2],
};

test('what a server can tell of what is wanted', () => {
  expect(subscriptionOf({ notifications: wanted }, capabilities)).toEqual({ lists: ['tools'], uris: ['a://1'] });
  for (const [params, can] of [
    [undefined, capabilities],
    [{}, capabilities],
    [{ notifications: [] }, capabilities],
    [{ notifications: wanted }, {}],
  ] as const)
    expect(subscriptionOf(params, can)).toEqual({ lists: [], uris: [] });
  const many = Array.from({ length: 1_000 }, (_, index) => `a://${index}`);
  expect(subscriptionOf({ notifications: { resourceSubscriptions: many } }, capabilities).uris).toHaveLength(256);
});

test('every message names the subscription', () => {
  const _meta = { [META.subscriptionId]: 'l' };
  expect(acknowledgement({ lists: ['tools'], uris: ['a://1'] }, 'l')).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: { toolsListChanged: true, resourceSubscriptions: ['a://1'] }, _meta },
  });
  expect(acknowledgement({ lists: [], uris: [] }, 'l')).toMatchObject({ params: { notifications: {}, _meta } });
  const missed = missedNotifications({ lists: ['prompts'], uris: ['a://1'] }, 'l');
  expect(missed).toMatchObject([
    { method: 'notifications/prompts/list_changed', params: { _meta } },
    { method: 'notifications/resources/updated', params: { uri: 'a://1', _meta } },
  ]);
});

test('a listener hears what it watches, and parts of it, and nothing else', () => {
  const hears = (method: string, params?: Record<string, unknown>) =>
    listenedNotification({ method, ...(params && { params }) }, { lists: ['tools'], uris: ['a://dir/'] }, 'l') !==
    undefined;
  expect(hears('notifications/tools/list_changed')).toBe(true);
  expect(hears('notifications/prompts/list_changed')).toBe(false);
  expect(hears('notifications/resources/updated', { uri: 'a://dir/' })).toBe(true);
  expect(hears('notifications/resources/updated', { uri: 'a://dir/file' })).toBe(true);
  expect(hears('notifications/resources/updated', { uri: 'a://other' })).toBe(false);
  expect(hears('notifications/resources/updated', {})).toBe(false);
  expect(hears('notifications/message', {})).toBe(false);
});
