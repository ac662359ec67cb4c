import { expect, test } from 'vitest';
import { keptListing } from '../../../src/upstream/kept-listing.ts';
import type { Listed } from '../../../src/upstream/list-all.ts';

const now = '2026-01-01T00:00:00.000Z';
const listed = (...names: string[]): Listed => ({
  items: names.map((name) => ({ name, extra: { kept: true } })),
  ttlMs: 500,
  cacheScope: 'public',
});

test('what reads as before stays the same object, what differs is replaced alone', () => {
  const first = keptListing({
    listed: { 'tools/list': listed('a'), 'prompts/list': listed('p') },
    era: 'modern',
    now,
    before: undefined,
  });
  const same = keptListing({ listed: { 'tools/list': listed('a') }, era: 'modern', now, before: first });
  expect(same.listing).toBe(first.listing);
  const changed = keptListing({ listed: { 'tools/list': listed('a', 'b') }, era: 'modern', now, before: first });
  expect(changed.listing).not.toBe(first.listing);
  expect(changed.listing.tools).toHaveLength(2);
  expect(changed.listing.prompts).toBe(first.listing.prompts);
});

test('a modern upstream says how long its listing lasts, and without a word not at all; a legacy one gets a minute', () => {
  const terms = (era: 'modern' | 'legacy', part: Partial<Listed>) =>
    keptListing({ listed: { 'tools/list': { ...listed('a'), ...part } }, era, now, before: undefined }).terms?.[
      'tools/list'
    ];
  expect(terms('modern', {})).toEqual({ listedAt: now, ttlMs: 500, cacheScope: 'public' });
  expect(terms('modern', { ttlMs: undefined })).toMatchObject({ ttlMs: 0 });
  expect(terms('legacy', {})).toEqual({ listedAt: now, ttlMs: 60_000, cacheScope: 'private' });
});
