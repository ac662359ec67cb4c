import type { Clock } from '../base/clock.ts';
import type { GatewayError } from '../base/errors.ts';
import { grantUpkeep, type Grant } from '../policy/grant.ts';
import type { JsonRpcResponse } from '../wire/json-rpc.ts';
import { LISTING_METHODS, type ListingMethod } from '../wire/mcp.ts';
import { countsAgainstUpstream, wasEndedHere } from './breaker.ts';
import { capabilitiesOf, type Listing, type ListingTerms, type UpstreamFacts } from './facts.ts';
import { announcedListings, followChanges } from './follow-changes.ts';
import type { Health } from './health.ts';
import { keptListing } from './kept-listing.ts';
import { list } from './list-all.ts';
import { ListingKeeper, type ListingWait } from './listing-keeper.ts';
import { ListingWatch } from './listing-watch.ts';
import type { Params, Send } from './own-request.ts';
import type { SharedSession } from './shared-session.ts';

/** What happened to listings: `stale` when one was said to have changed, `new` when one reads differently. */
export type ListingNews = 'stale' | 'new';

/** What listings need of their upstream. */
export interface OwnListingsOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly health: Health;
  readonly facts: () => UpstreamFacts | undefined;
  readonly learn: (facts: UpstreamFacts) => void;
  readonly connect: (grant: Grant) => Promise<UpstreamFacts>;
  readonly call: (grant: Grant, method: string, params: Params) => Promise<JsonRpcResponse>;
  readonly send: Send;
  readonly session: () => Promise<SharedSession>;
  readonly onNews: (news: ListingNews) => void;
}

/** What one upstream lists: read again when it is due, and watched for changes where the upstream tells them. */
export class OwnListings {
  readonly #options: OwnListingsOptions;
  readonly #keeper: ListingKeeper;
  readonly #watch: ListingWatch;

  constructor(options: OwnListingsOptions) {
    const { clock, random, health, facts, connect, send, session } = options;
    const grant = grantUpkeep('listing');
    this.#options = options;
    this.#keeper = new ListingKeeper({
      clock,
      facts,
      readAll: () => connect(grant),
      read: (method) => this.#read(grant, method),
      isWatched: (method) => this.#watch.covers(method),
      isDown: () => health.isDown,
      onOutcome: (failure) => {
        if (failure === undefined) health.listed();
        else if (saysSomethingElse(failure)) health.listingFailed(failure);
      },
    });
    this.#watch = new ListingWatch({
      clock,
      random,
      follow: followChanges({ facts, send, session }),
      // what was read before the stream stood may have missed a change
      listener: { opened: (methods) => this.changed(methods), changed: (methods) => this.changed(methods) },
    });
  }

  /**
   * What is listed, `method` as fresh as the upstream wants it; at once when it is. What is known is answered when it
   * cannot be read again in time.
   *
   * @throws GatewayError call_cancelled; where nothing is known yet, why not
   */
  fresh(_grant: Grant, method: ListingMethod, wait: ListingWait): Listing | Promise<Listing> {
    return this.#keeper.fresh(method, wait);
  }

  /** Whether anything about the upstream is amiss; what is known of it may be from before. */
  get isStale(): boolean {
    return this.#options.health.isFailing;
  }

  /** Reads a listing again however fresh it is, unless that failed just now. @throws GatewayError as `fresh` */
  again(_grant: Grant, method: ListingMethod, wait: ListingWait): Promise<Listing> {
    return this.#keeper.again(method, wait);
  }

  /** Whether the upstream could not be reached, or did not answer, when it was last asked anything. */
  get isDown(): boolean {
    return this.#options.health.isDown;
  }

  /** How long what is known may be used from now on, and by whom; for ever where there is nothing to list. */
  terms(method: ListingMethod): Pick<ListingTerms, 'ttlMs' | 'cacheScope'> {
    return this.#keeper.terms(method);
  }

  /** Takes note that listings changed: who asks from now on is answered from a reading that began later. */
  changed(methods: readonly ListingMethod[] = LISTING_METHODS): void {
    this.#keeper.markChanged(methods);
    this.#options.onNews('stale');
  }

  /** True when something changed or failed since it was read. */
  get isDue(): boolean {
    return this.#keeper.isDue;
  }

  /** Reads again what is due; whether all of it could be read. Never rejects: failures are in the health. */
  rereadDue(_grant: Grant): Promise<boolean> {
    return this.#keeper.rereadDue();
  }

  /** Opens the stream on which the upstream tells of changes, where it promises to tell any. */
  watch(_grant: Grant): void {
    if (announcedListings(this.#options.facts()).length > 0) this.#watch.start();
  }

  /** The connection or session the stream came over is gone, or may be. */
  watchAnew(): void {
    this.#watch.restart();
  }

  /** Ends the stream. */
  unwatch(): void {
    this.#watch.stop();
  }

  /** To be called before everything is read by connecting, and what it returns once that was learned. */
  beginReadingAll(): () => void {
    const wasRead = this.#keeper.beginReadingAll();
    return () => {
      wasRead();
      this.#watch.forgetRefusal();
    };
  }

  /** Takes over what an earlier run of the gateway read. */
  adopt(facts: UpstreamFacts): void {
    this.#keeper.adopt(facts);
  }

  async #read(grant: Grant, method: ListingMethod): Promise<void> {
    const { facts, call, learn, clock } = this.#options;
    const known = facts();
    if (known === undefined) return;
    const listed = await list(method, capabilitiesOf(known), (name, params) => call(grant, name, params));
    // others may have been read meanwhile
    const before = facts() ?? known;
    const now = new Date(clock.nowMs()).toISOString();
    learn({
      ...before,
      ...keptListing({ listed: { [method]: listed }, era: known.modern ? 'modern' : 'legacy', now, before }),
    });
  }
}

/** Whether a failure is none of those that show in the health by themselves, as every failed call does. */
function saysSomethingElse(failure: GatewayError): boolean {
  return !countsAgainstUpstream(failure) && !wasEndedHere(failure) && !UNTOLD.has(failure.code);
}

const UNTOLD: ReadonlySet<GatewayError['code']> = new Set(['upstream_unavailable', 'call_cancelled']);
