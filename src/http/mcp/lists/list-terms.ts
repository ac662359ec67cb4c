import type { ListingTerms } from '../../../upstream/facts.ts';

/** How long one part of a list may be kept and by whom; for ever where there is nothing to list. */
export type PartTerms = Pick<ListingTerms, 'ttlMs' | 'cacheScope'>;

/**
 * How long a list made of parts may be kept: as long as the part that ends first, by others than the caller only when
 * every part may be. Where nothing is known, not at all.
 *
 * @see MCP 2026-07-28, caching
 */
export function commonTerms(parts: readonly PartTerms[]): PartTerms {
  const listed = parts.filter(({ ttlMs }) => Number.isFinite(ttlMs));
  if (listed.length === 0) return { ttlMs: 0, cacheScope: 'private' };
  return {
    ttlMs: Math.floor(Math.min(...listed.map(({ ttlMs }) => ttlMs))),
    cacheScope: listed.every(({ cacheScope }) => cacheScope === 'public') ? 'public' : 'private',
  };
}
