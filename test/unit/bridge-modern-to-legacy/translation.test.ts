import { expect, test } from 'vitest';
import {
  discoverResultOf,
  legacyRequestOf,
  modernAnswerOf,
  modernNotificationOf,
} from '../../../src/bridge/modern-to-legacy/translation.ts';
import { META } from '../../../src/wire/eras.ts';

const serverInfo = { name: 'old', version: '1' };
const request = (method: string, params: Record<string, unknown> = {}) =>
  ({ jsonrpc: '2.0', id: 'a', method, params }) as const;

test('a legacy server sees neither envelope nor answers, but its own meta and our token', () => {
  const _meta = { [META.protocolVersion]: '2026-07-28', [META.logLevel]: 'info', progressToken: 'mine', trace: 'x' };
  const params = { name: 't', arguments: { requestState: 1 }, _meta, inputResponses: {}, requestState: 's' };
  expect(legacyRequestOf(request('tools/call', params), 7)).toEqual({
    jsonrpc: '2.0',
    id: 7,
    method: 'tools/call',
    params: { name: 't', arguments: { requestState: 1 }, _meta: { progressToken: 7, trace: 'x' } },
  });
  const bare = request('tools/list', { _meta: { [META.protocolVersion]: '2026-07-28' } });
  expect(legacyRequestOf(bare, 1).params).toEqual({});
});

test('a result says that it is complete, who gave it and, where that matters, that it may not be kept', () => {
  const answer = (method: string, result: Record<string, unknown>) =>
    modernAnswerOf(request(method), { jsonrpc: '2.0', id: 1, result }, serverInfo);
  expect(answer('tools/call', { content: [], extra: 1, _meta: { own: 2 } })).toEqual({
    jsonrpc: '2.0',
    id: 'a',
    result: { resultType: 'complete', content: [], extra: 1, _meta: { [META.serverInfo]: serverInfo, own: 2 } },
  });
  expect(answer('resources/read', { contents: [] })).toMatchObject({ result: { ttlMs: 0, cacheScope: 'private' } });
  expect(answer('completion/complete', {})).not.toHaveProperty('result.ttlMs');
});

test('a resource that is not there has the number of the modern era; other errors keep theirs', () => {
  const answer = (code: number) =>
    modernAnswerOf(
      request('resources/read'),
      { jsonrpc: '2.0', id: 1, error: { code, message: 'm', data: 1 } },
      undefined,
    );
  expect(answer(-32002)).toEqual({ jsonrpc: '2.0', id: 'a', error: { code: -32602, message: 'm', data: 1 } });
  expect(answer(-32603)).toMatchObject({ error: { code: -32603 } });
});

test('discover repeats what initialize said, tasks aside', () => {
  const facts = {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {}, tasks: {} },
    instructions: 'i',
    serverInfo,
  };
  expect(discoverResultOf(facts)).toEqual({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    instructions: 'i',
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [META.serverInfo]: serverInfo },
  });
});

test('progress comes under the token of the caller, and only its own', () => {
  const progress = (progressToken: unknown) => ({
    method: 'notifications/progress',
    params: { progressToken, progress: 1 },
  });
  const of = { ownId: 3, progressToken: 'mine', logLevel: undefined };
  expect(modernNotificationOf(progress(3), of)).toMatchObject({ params: { progressToken: 'mine', progress: 1 } });
  expect(modernNotificationOf(progress(4), of)).toBeUndefined();
  expect(modernNotificationOf(progress(3), { ...of, progressToken: undefined })).toBeUndefined();
});

test('log lines come to who asked for them, from the severity asked for', () => {
  const line = (level: string) => ({ method: 'notifications/message', params: { level, data: 'x' } });
  const of = (logLevel: string | undefined) => ({ ownId: 3, progressToken: undefined, logLevel });
  expect(modernNotificationOf(line('error'), of(undefined))).toBeUndefined();
  const heard = ['debug', 'info', 'warning', 'error', 'fancy'].filter((l) =>
    modernNotificationOf(line(l), of('warning')),
  );
  expect(heard).toEqual(['warning', 'error', 'fancy']);
  expect(modernNotificationOf({ method: 'notifications/other' }, of('debug'))).toBeUndefined();
});
