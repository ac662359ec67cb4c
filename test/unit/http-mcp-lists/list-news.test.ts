import { expect, test } from 'vitest';
import { isToldByUs } from '../../../src/http/mcp/lists/list-news.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';

function upstreamWith(passthroughHeaders: readonly string[] = []) {
  const changed: string[][] = [];
  const listings = { changed: (methods: string[]) => void changed.push(methods) };
  return { changed, upstream: { config: { passthroughHeaders }, listings } as unknown as Upstream };
}

test.each([
  ['{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}', ['tools/list']],
  [String.raw`{"jsonrpc":"2.0","method":"notifications\/prompts\/list_changed"}`, ['prompts/list']],
  ['{"method":"notifications/resources/list_changed"}', ['resources/list', 'resources/templates/list']],
])('%s is noted before anybody hears it, and told by us', (data, listings) => {
  const { changed, upstream } = upstreamWith();
  expect(isToldByUs(upstream, data)).toBe(true);
  expect(changed).toEqual([listings]);
});

test.each([
  undefined,
  '',
  'list_changed',
  '{"method":"notifications/roots/list_changed"}',
  '{"method":7,"params":"list_changed"}',
  '{"result":{"text":"notifications/tools/list_changed"}}',
])('%s is passed as it is', (data) => {
  const { changed, upstream } = upstreamWith();
  expect(isToldByUs(upstream, data)).toBe(false);
  expect(changed).toEqual([]);
});

test('what an upstream says to one caller alone is passed to that caller', () => {
  const { changed, upstream } = upstreamWith(['x-team']);
  expect(isToldByUs(upstream, '{"method":"notifications/tools/list_changed"}')).toBe(false);
  expect(changed).toHaveLength(1);
});
