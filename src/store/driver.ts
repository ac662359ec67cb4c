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
 * no compare-and-set. Reading goes to the driver itself: unstorage's Storage rewrites keys and coerces values.
 *
 * Every method fails with store_unavailable only (`guardStorage` sees to it), within seconds, and works again by
 * itself once the store does.
 */
export interface StorageDriver {
  /** `sqlite`, `redis`, `postgres`, `memory`, … for people. */
  readonly name: string;
  /** True when other instances may use the same store. */
  readonly shared: boolean;
  readonly driver: Pick<Driver, 'getItem' | 'getKeys'>;
  /**
   * All changes or none, a key at most once; false when an expectation was not met. Durable once it resolves; once it
   * throws, the changes may have been made all the same.
   */
  commit(changes: readonly Change[]): Promise<boolean>;
  /**
   * Tells of every commit of any process, this one included, once it can be read; absent where the store has no push,
   * or shares a file with processes it does not know of. The returned function stops it, and so does `close`.
   */
  readonly watch?: (onChange: OnChange, onLink: OnLink) => () => void;
  /** Absent where the store keeps no count for several instances. */
  readonly counters?: SharedCounters;
  /** Lets go of the store; idempotent. */
  close(): Promise<void>;
}

/** Token buckets that instances share; they are kept no longer than until they are full again. */
export interface SharedCounters {
  /**
   * Takes up to `wanted` out of a bucket, fewer where there are no more, in one step.
   *
   * @throws GatewayError store_unavailable
   */
  take(bucket: SharedBucket, wanted: number): Promise<Taken>;
}

export interface SharedBucket {
  readonly key: string;
  /** What it holds at most. */
  readonly burst: number;
  /** In which it gains one, in milliseconds. */
  readonly intervalMs: number;
}

/** What came of it. */
export interface Taken {
  readonly granted: number;
  /** What is left in it. */
  readonly left: number;
  /** Until one may be taken again; 0 where something was granted. */
  readonly retryInMs: number;
  /** Until it is full again. */
  readonly fullInMs: number;
}

/** The keys a commit changed; a large commit may be told in parts. Must not throw. */
export type OnChange = (keys: readonly string[]) => void;

/**
 * True when telling begins and after each loss: what was committed before may not have been told, so whoever watches
 * looks for himself. False when the store was lost, or fell silent; never called where the store does not let us
 * listen. Must not throw.
 */
export type OnLink = (up: boolean) => void;
