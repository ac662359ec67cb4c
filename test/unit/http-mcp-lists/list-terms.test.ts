import { expect, test } from 'vitest';
import { commonTerms } from '../../../src/http/mcp/lists/list-terms.ts';

const open = { ttlMs: 9000.7, cacheScope: 'public' } as const;
const nothingListed = { ttlMs: Infinity, cacheScope: 'public' } as const;

test('a list lasts as long as its first part, and is everybody’s when every part is', () => {
  expect(commonTerms([open, { ttlMs: 20, cacheScope: 'public' }])).toEqual({ ttlMs: 20, cacheScope: 'public' });
  expect(commonTerms([open, { ttlMs: 20_000, cacheScope: 'private' }])).toEqual({ ttlMs: 9000, cacheScope: 'private' });
  expect(commonTerms([open, { ttlMs: 0, cacheScope: 'public' }])).toMatchObject({ ttlMs: 0 });
});

test('a part with nothing to list changes neither, and a list of such parts is not to be kept', () => {
  expect(commonTerms([nothingListed, open])).toEqual({ ttlMs: 9000, cacheScope: 'public' });
  expect(commonTerms([nothingListed])).toEqual({ ttlMs: 0, cacheScope: 'private' });
  expect(commonTerms([])).toEqual({ ttlMs: 0, cacheScope: 'private' });
});
