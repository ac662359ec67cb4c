import type { Fields } from '../base/fields.ts';
import { LISTING_METHODS, LISTINGS, type ListingMethod } from '../wire/mcp.ts';
import { LISTING_LIFE_MS, type Listing, type ListingTerms, type UpstreamFacts } from './facts.ts';
import type { Listed } from './list-all.ts';

const NOTHING_LISTED: Listing = { tools: [], prompts: [], resources: [], resourceTemplates: [] };

/** Listings that were read just now, in the place of those in `before`. */
export interface ReadListings {
  readonly listed: Readonly<Partial<Record<ListingMethod, Listed>>>;
  readonly era: 'modern' | 'legacy';
  /** ISO 8601. */
  readonly now: string;
  /** What was known before; listings that were not read stay. */
  readonly before: Pick<UpstreamFacts, 'listing' | 'terms'> | undefined;
}

/**
 * What is known after listings were read. A part that says the same as before stays the same object, and so does the
 * whole, so that whoever made something of it need not look.
 */
export function keptListing({ listed, era, now, before }: ReadListings): Pick<UpstreamFacts, 'listing' | 'terms'> {
  let listing = before?.listing ?? NOTHING_LISTED;
  const terms: Partial<Record<ListingMethod, ListingTerms>> = { ...before?.terms };
  for (const method of LISTING_METHODS) {
    const read = listed[method];
    if (read === undefined) continue;
    const { member } = LISTINGS[method];
    if (!saysTheSame(listing[member], read.items)) listing = { ...listing, [member]: read.items };
    const ttlMs = era === 'modern' ? (read.ttlMs ?? 0) : LISTING_LIFE_MS;
    terms[method] = { listedAt: now, ttlMs, cacheScope: era === 'modern' ? read.cacheScope : 'private' };
  }
  return { listing, terms };
}

function saysTheSame(before: readonly Fields[], after: readonly Fields[]): boolean {
  return before.length === after.length && JSON.stringify(before) === JSON.stringify(after);
}
