import type { Driver } from 'unstorage';

/** One change of a commit: `value` null removes. */
export interface Change {
  readonly key: string;
  /** The serialised record, or null to remove. */
  readonly value: string | null;
  /** The serialised value that must be there now, null for «nothing»; absent means whatever is there. */
  readonly expected?: string | null;
}

/**
 * Where records live: an unstorage driver for reading, and the store's own primitive for writing, since unstorage has
 * no compare-and-set.
 */
export interface StorageDriver {
  /** `sqlite`, `redis`, `postgres`, `memory`, … for people. */
  readonly name: string;
  /** True when other instances may use the same store. */
  readonly shared: boolean;
  readonly driver: Driver;
  /** All changes or none; false when an expectation was not met. Durable once it resolves. */
  commit(changes: readonly Change[]): Promise<boolean>;
  close(): Promise<void>;
}
