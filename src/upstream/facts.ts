import type { Fields } from '../base/fields.ts';
import type { Era } from '../wire/eras.ts';
import type { ListingMethod } from '../wire/mcp.ts';
import type { TransportKind } from './transport.ts';

/** What an upstream offers; items keep every field it sent. */
export interface Listing {
  readonly tools: readonly Fields[];
  readonly prompts: readonly Fields[];
  readonly resources: readonly Fields[];
  readonly resourceTemplates: readonly Fields[];
}

/**
 * Milliseconds a legacy listing is used without asking again, where nothing tells of its changes: short enough for a
 * person who waits for a new tool, long enough that callers cost the upstream one request a minute at most.
 */
export const LISTING_LIFE_MS = 60_000;

/** When one listing was read, and how its upstream lets it be kept. @see MCP 2026-07-28, caching */
export interface ListingTerms {
  /** ISO 8601. */
  readonly listedAt: string;
  /** Milliseconds it may be used without asking again, all pages; 0 where the upstream did not say. */
  readonly ttlMs: number;
  /** Whether others than the one who asked may see it: `public` only when every page says so. */
  readonly cacheScope: 'public' | 'private';
}

interface EraFacts {
  readonly capabilities: Fields;
  readonly instructions?: string;
  readonly serverInfo?: Fields;
}

/** The answer to server/discover. */
export interface ModernFacts extends EraFacts {
  readonly supportedVersions: readonly string[];
}

/** The answer to initialize. */
export interface LegacyFacts extends EraFacts {
  readonly protocolVersion: string;
}

/** What connecting taught us; survives restarts. At least one era is present. */
export interface UpstreamFacts {
  readonly transport: TransportKind;
  readonly modern?: ModernFacts;
  readonly legacy?: LegacyFacts;
  /** ISO 8601, per era that was asked for; absent in facts of an earlier version. A server may change its mind. */
  readonly probedAt?: Readonly<Partial<Record<Era, string>>>;
  /** Replaced whole, and only when something in it changed. */
  readonly listing: Listing;
  /** Absent for a listing that was read before terms were kept. */
  readonly terms?: Readonly<Partial<Record<ListingMethod, ListingTerms>>>;
  /** ISO 8601; when all of it was read last. */
  readonly listedAt: string;
}

/** What the upstream declares in the era it is listed in: the modern one where it speaks it. */
export function capabilitiesOf({ modern, legacy }: Pick<UpstreamFacts, 'modern' | 'legacy'>): Fields {
  return (modern ?? legacy)?.capabilities ?? {};
}
