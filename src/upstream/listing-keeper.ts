import type { CancelSignal } from '../base/cancel-signal.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import { LISTING_CAPABILITY, LISTING_METHODS, type ListingMethod } from '../wire/mcp.ts';
import { withDeadline } from './deadline.ts';
import { capabilitiesOf, type Listing, type ListingTerms, type UpstreamFacts } from './facts.ts';

/** How long somebody waits for a listing. */
export interface ListingWait {
  readonly signal?: CancelSignal | undefined;
  /** Milliseconds an upstream nothing is known of may take. */
  readonly limitMs: number;
}

/** Where listings come from. */
export interface ListingSource {
  readonly clock: Clock;
  facts(): UpstreamFacts | undefined;
  /** Reads all of them for the first time. */
  readAll(): Promise<unknown>;
  /** Reads one, and keeps it. */
  read(method: ListingMethod): Promise<void>;
  /** Whether a stream is open that tells of its changes. */
  isWatched(method: ListingMethod): boolean;
  /** Whether the upstream could not be reached, or did not answer, when it was last asked anything. */
  isDown(): boolean;
  /** The last reading failed; undefined once everything that failed was read again. */
  onOutcome(failure: GatewayError | undefined): void;
}

/** How long a listing that is known may be held back by being read again; it goes on, for those who come later. */
const REREAD_WAIT_MS = 3_000;
/** After a failed reading nobody waits for another one so long; doubled with each failure. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** Readings in a row for one that asks, while the upstream goes on to say that it changed. */
const MAX_ROUNDS = 3;

/** A reading under way. */
interface Flight {
  readonly startedMs: number;
  readonly done: Promise<void>;
}

/** What the last reading of a listing saw. */
interface Reading {
  /** Monotonic milliseconds. */
  readonly atMs: number;
  /** How often a change had been announced when it began. */
  readonly changes: number;
}

type Terms = Pick<ListingTerms, 'ttlMs' | 'cacheScope'>;

/** What holds where the upstream has nothing to list. */
const UNBOUND: Terms = { ttlMs: Number.POSITIVE_INFINITY, cacheScope: 'public' };
const UNKNOWN: Terms = { ttlMs: 0, cacheScope: 'private' };

/** Decides when the listings of one upstream are read again: each by itself, by one reading at a time. */
export class ListingKeeper {
  readonly #source: ListingSource;
  readonly #readings = new Map<ListingMethod, Reading>();
  /** How often each was said to have changed. */
  readonly #changes = new Map<ListingMethod, number>();
  /** What could not be read when it was last tried. */
  readonly #failed = new Set<ListingMethod>();
  readonly #flights = new Map<ListingMethod | 'all', Flight>();
  #failures = 0;
  #retryAtMs = 0;
  #lastFailure: GatewayError | undefined;

  constructor(source: ListingSource) {
    this.#source = source;
  }

  /** True when something is known to need another reading: it changed, or could not be read. */
  get isDue(): boolean {
    return LISTING_METHODS.some((method) => this.#isDue(method));
  }

  /** Takes over what an earlier run of the gateway read. */
  adopt({ terms }: UpstreamFacts): void {
    const { clock } = this.#source;
    for (const method of LISTING_METHODS) {
      const listedAt = terms?.[method]?.listedAt;
      if (listedAt === undefined) continue;
      const ageMs = Math.max(0, clock.nowMs() - Date.parse(listedAt));
      this.#readings.set(method, { atMs: clock.monotonicMs() - ageMs, changes: 0 });
    }
  }

  /**
   * The listings, of which `method` is as fresh as its upstream wants it; at once when it is. When it cannot be read
   * again in time, the answer is what was read last; at once too when the upstream is down.
   *
   * @throws GatewayError call_cancelled; where nothing is known yet why not, upstream_timeout
   */
  fresh(method: ListingMethod, wait: ListingWait): Listing | Promise<Listing> {
    const facts = this.#source.facts();
    if (facts === undefined || !this.#isFresh(method, facts)) return this.#reread(method, facts, wait);
    return facts.listing;
  }

  /** Reads a listing again however fresh it is, unless that failed just now. @throws GatewayError as `fresh` */
  again(method: ListingMethod, wait: ListingWait): Promise<Listing> {
    const facts = this.#source.facts();
    const { clock } = this.#source;
    if (clock.monotonicMs() < this.#retryAtMs && this.#lastFailure) return Promise.reject(this.#lastFailure);
    return this.#outcome(this.#flight(facts ? method : 'all'), wait.limitMs, wait.signal);
  }

  /** How long what is known may be used from now on, and by whom. */
  terms(method: ListingMethod): Terms {
    const facts = this.#source.facts();
    if (facts !== undefined && !isDeclared(method, facts)) return UNBOUND;
    const known = facts?.terms?.[method];
    if (known === undefined || this.#hasChanged(method)) return UNKNOWN;
    return { ttlMs: Math.max(0, this.#lifeLeftMs(method, known)), cacheScope: known.cacheScope };
  }

  /** Marks listings as changed, so that nobody is answered from before. */
  markChanged(methods: Iterable<ListingMethod>): void {
    for (const method of methods) this.#changes.set(method, this.#changesOf(method) + 1);
  }

  /** Reads everything again that is known to need it; whether all of it could be read. Never rejects. */
  async rereadDue(): Promise<boolean> {
    const due = LISTING_METHODS.filter((method) => this.#isDue(method));
    const outcomes = await Promise.allSettled(due.map((method) => this.#flight(method).done));
    return outcomes.every(({ status }) => status === 'fulfilled');
  }

  /** To be called before everything is read in one go, and what it returns once that was kept. */
  beginReadingAll(): () => void {
    const before = new Map(this.#changes);
    return () => {
      for (const method of LISTING_METHODS) this.#wasRead(method, before.get(method) ?? 0);
    };
  }

  #isFresh(method: ListingMethod, facts: UpstreamFacts): boolean {
    if (!isDeclared(method, facts)) return true;
    const terms = facts.terms?.[method];
    if (terms === undefined || this.#hasChanged(method)) return false;
    return this.#source.isWatched(method) || this.#lifeLeftMs(method, terms) > 0;
  }

  #lifeLeftMs(method: ListingMethod, { ttlMs }: Terms): number {
    const reading = this.#readings.get(method);
    return reading === undefined ? 0 : ttlMs - (this.#source.clock.monotonicMs() - reading.atMs);
  }

  #isDue(method: ListingMethod): boolean {
    return this.#failed.has(method) || this.#hasChanged(method);
  }

  #hasChanged(method: ListingMethod): boolean {
    return (this.#readings.get(method)?.changes ?? 0) !== this.#changesOf(method);
  }

  #changesOf(method: ListingMethod): number {
    return this.#changes.get(method) ?? 0;
  }

  #reread(
    method: ListingMethod,
    known: UpstreamFacts | undefined,
    { signal, limitMs }: ListingWait,
  ): Listing | Promise<Listing> {
    const { clock } = this.#source;
    const isPausing = clock.monotonicMs() < this.#retryAtMs;
    if (isPausing && known) return known.listing;
    if (isPausing && this.#lastFailure) return Promise.reject(this.#lastFailure);
    const flight = this.#flight(known ? method : 'all');
    if (known && this.#source.isDown()) return known.listing;
    const longestMs = known ? Math.min(REREAD_WAIT_MS, limitMs) : limitMs;
    return this.#outcome(flight, longestMs - (clock.monotonicMs() - flight.startedMs), signal);
  }

  /** What is known when a reading has ended, or its time is up; one that is overdue already holds nobody back. */
  async #outcome(flight: Flight, leftMs: number, signal: CancelSignal | undefined): Promise<Listing> {
    const { clock } = this.#source;
    try {
      if (leftMs <= 0) throw new GatewayError('upstream_timeout', 'the upstream is still being listed');
      await withDeadline(clock, leftMs, signal, () => flight.done);
    } catch (error) {
      if (signal?.aborted || this.#source.facts() === undefined) throw error;
    }
    const facts = this.#source.facts();
    if (facts) return facts.listing;
    throw new GatewayError('upstream_protocol', 'the upstream was connected without being listed');
  }

  #flight(key: ListingMethod | 'all'): Flight {
    const running = this.#flights.get(key);
    if (running) return running;
    const done = (key === 'all' ? this.#source.readAll() : this.#readUntilQuiet(key))
      .then(() => this.#succeeded())
      .catch((error: unknown) => this.#failedWith(key, toGatewayError(error)))
      .finally(() => this.#flights.delete(key));
    const flight = { startedMs: this.#source.clock.monotonicMs(), done };
    this.#flights.set(key, flight);
    // its failure is told to the source also when nobody waits any more
    done.catch(() => undefined);
    return flight;
  }

  /** A change that is announced during a reading may not be in it, and whoever heard of it waits for it here. */
  async #readUntilQuiet(method: ListingMethod): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const changes = this.#changesOf(method);
      await this.#source.read(method);
      this.#wasRead(method, changes);
      if (!this.#hasChanged(method)) return;
    }
  }

  #wasRead(method: ListingMethod, changes: number): void {
    this.#readings.set(method, { atMs: this.#source.clock.monotonicMs(), changes });
    if (this.#failed.delete(method) && this.#failed.size === 0) this.#source.onOutcome(undefined);
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#retryAtMs = 0;
    this.#lastFailure = undefined;
  }

  #failedWith(key: ListingMethod | 'all', error: GatewayError): never {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LONGEST_PAUSE_MS);
    this.#retryAtMs = this.#source.clock.monotonicMs() + pauseMs;
    this.#lastFailure = error;
    if (key !== 'all') {
      this.#failed.add(key);
      this.#source.onOutcome(error);
    }
    throw error;
  }
}

function isDeclared(method: ListingMethod, facts: UpstreamFacts): boolean {
  return capabilitiesOf(facts)[LISTING_CAPABILITY[method]] !== undefined;
}
