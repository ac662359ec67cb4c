import type { Clock } from './clock.ts';
import { GatewayError } from './errors.ts';

/** A claim on a cached value; while one is held the value is neither evicted nor disposed of. */
export interface Lease<V> {
  readonly value: V;
  /** Gives the claim back. Idempotent. */
  release(): void;
  /** Gives the claim back, and has the cache hand this value out no more. */
  discard(): void;
}

/** What asking for a value led to, and how a value left. */
export type CacheOutcome = 'hit' | 'miss' | 'evicted' | 'expired';

export interface LeasedCacheOptions<V> {
  /** How many values nobody leases are kept, least recently used first out; values in use are not counted. */
  readonly maxIdle: number;
  /** Milliseconds on the monotonic clock after which a value is handed out no more; absent means never. */
  readonly ttlMs?: number | undefined;
  readonly clock: Clock;
  /** Called once per value, when it has left the cache and its last lease is back. */
  readonly dispose: (value: V) => void;
  readonly onUse?: (outcome: CacheOutcome) => void;
}

interface Entry<V> {
  readonly key: string;
  readonly value: Promise<V>;
  readonly expiresAtMs: number;
  leases: number;
  /** True once the cache hands the entry out no more. */
  detached: boolean;
  cancelExpiry: (() => void) | undefined;
}

/**
 * Values that are costly to build and must outlive eviction while somebody uses them. Callers that ask for a key
 * being built wait for that one build; a failed build is told to all of them and leaves nothing behind.
 */
export class LeasedCache<V> {
  readonly #options: LeasedCacheOptions<V>;
  readonly #entries = new Map<string, Entry<V>>();
  /** Entries without leases, least recently used first. */
  readonly #idle = new Map<string, Entry<V>>();
  #closed = false;

  constructor(options: LeasedCacheOptions<V>) {
    this.#options = options;
  }

  /** Values the cache can hand out, leased or not. */
  get size(): number {
    return this.#entries.size;
  }

  /** Values nobody leases. */
  get idle(): number {
    return this.#idle.size;
  }

  /** @throws GatewayError shutting_down after close, and whatever `build` throws. */
  async lease(key: string, build: () => Promise<V>): Promise<Lease<V>> {
    if (this.#closed) throw new GatewayError('shutting_down', 'the cache is closed');
    const entry = this.#current(key) ?? this.#build(key, build);
    // Counted before the first await, so that nobody else's release can evict it meanwhile.
    entry.leases += 1;
    this.#idle.delete(key);
    entry.cancelExpiry?.();
    entry.cancelExpiry = undefined;
    return this.#leaseOf(entry, await entry.value);
  }

  /** Forgets everything and refuses new leases. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) this.#detach(entry);
  }

  #leaseOf(entry: Entry<V>, value: V): Lease<V> {
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      entry.leases -= 1;
      if (entry.leases === 0) this.#rest(entry, value);
    };
    const discard = (): void => {
      this.#drop(entry);
      release();
    };
    return { value, release, discard };
  }

  #current(key: string): Entry<V> | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (this.#options.clock.monotonicMs() < entry.expiresAtMs) {
      this.#options.onUse?.('hit');
      return entry;
    }
    this.#detach(entry, 'expired');
    return undefined;
  }

  #build(key: string, build: () => Promise<V>): Entry<V> {
    this.#options.onUse?.('miss');
    const { clock, ttlMs } = this.#options;
    const expiresAtMs = ttlMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() + ttlMs;
    const value = build();
    const entry: Entry<V> = { key, value, leases: 0, expiresAtMs, detached: false, cancelExpiry: undefined };
    this.#entries.set(key, entry);
    value.catch(() => this.#drop(entry));
    return entry;
  }

  /** The last lease came back: keep the value for the next caller, or let it go. */
  #rest(entry: Entry<V>, value: V): void {
    if (entry.detached) return this.#options.dispose(value);
    this.#idle.set(entry.key, entry);
    if (this.#options.ttlMs !== undefined) {
      const leftMs = Math.max(0, entry.expiresAtMs - this.#options.clock.monotonicMs());
      entry.cancelExpiry = this.#options.clock.after(leftMs, () => this.#detach(entry, 'expired'));
    }
    for (const oldest of this.#idle.values()) {
      if (this.#idle.size <= this.#options.maxIdle) return;
      this.#detach(oldest, 'evicted');
    }
  }

  #detach(entry: Entry<V>, outcome?: 'evicted' | 'expired'): void {
    const wasIdle = this.#idle.get(entry.key) === entry;
    this.#drop(entry);
    entry.cancelExpiry?.();
    if (outcome) this.#options.onUse?.(outcome);
    if (wasIdle) void entry.value.then(this.#options.dispose);
  }

  #drop(entry: Entry<V>): void {
    entry.detached = true;
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    if (this.#idle.get(entry.key) === entry) this.#idle.delete(entry.key);
  }
}
