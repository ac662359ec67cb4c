import type { Fields } from '../base/fields.ts';

/** What an upstream offers; items keep every field it sent. */
export interface Listing {
  readonly tools: readonly Fields[];
  readonly prompts: readonly Fields[];
  readonly resources: readonly Fields[];
  readonly resourceTemplates: readonly Fields[];
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
  readonly transport: 'streamable-http' | 'sse';
  readonly modern?: ModernFacts;
  readonly legacy?: LegacyFacts;
  readonly listing: Listing;
  /** ISO 8601. */
  readonly listedAt: string;
}
