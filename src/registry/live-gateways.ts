import type { ChangeFeed } from '../base/change-feed.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Grant } from '../policy/grant.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import { withDeadline } from '../upstream/deadline.ts';
import type { UpstreamFacts } from '../upstream/facts.ts';
import type { StdioDeps } from '../upstream/ways.ts';
import type { ListingNews } from '../upstream/own-listings.ts';
import type { UpstreamConfig } from '../upstream/upstream-config.ts';
import { Upstream } from '../upstream/upstream.ts';
import { ListingFollower } from './listing-follower.ts';
import { inOrder, snapshotOf } from './snapshot.ts';
import type { RegisteredGateway, RegistrySnapshot } from './snapshot.ts';

export interface LiveGatewaysOptions {
  readonly channels: ChannelCache;
  readonly clock: Clock;
  readonly events: EventSink;
  /** How this gateway names itself to those behind it. */
  readonly viaName: string;
  /** Told when another snapshot serves, or an upstream lists something else than before. */
  readonly changes: ChangeFeed;
  /** Undefined where no programs can be started. */
  readonly stdio?: StdioDeps | undefined;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Milliseconds that calls in flight have to finish on an upstream that was replaced. */
  readonly drainMs: number;
}

/** Dialling, probing the eras and reading every listing; the dialer has its own, shorter limit for connecting. */
const CONNECT_MS = 30_000;

/** The gateways in memory, the upstreams that serve them, and their end. Knows nothing of the store. */
export class LiveGateways {
  readonly #options: LiveGatewaysOptions;
  readonly #gateways = new Map<string, RegisteredGateway>();
  readonly #closing = new AbortController();
  readonly #drains = new Set<Promise<void>>();
  readonly #onSwap: () => void;
  readonly #follower: ListingFollower;
  #snapshot: RegistrySnapshot = snapshotOf([]);

  constructor(options: LiveGatewaysOptions, onSwap: () => void) {
    this.#options = options;
    this.#onSwap = onSwap;
    this.#follower = new ListingFollower(options.clock, options.changes);
  }

  get snapshot(): RegistrySnapshot {
    return this.#snapshot;
  }

  get ids(): ReadonlySet<string> {
    return new Set(this.#gateways.keys());
  }

  list(): readonly RegisteredGateway[] {
    return inOrder(this.#gateways.values());
  }

  get(id: string): RegisteredGateway | undefined {
    return this.#gateways.get(id);
  }

  /** @throws GatewayError not_found */
  find(idOrSlug: string): RegisteredGateway {
    const found = this.get(idOrSlug) ?? [...this.#gateways.values()].find(({ record }) => record?.slug === idOrSlug);
    if (found) return found;
    throw new GatewayError('not_found', 'no gateway has this id or slug', { hint: 'GET /v1/gateways lists them' });
  }

  /**
   * Puts a gateway in the place of what was there, undefined for nothing; the upstream before it drains. A removal is
   * reported once nothing of the upstream is left, so that nobody counts for it again.
   */
  swap(id: string, gateway: RegisteredGateway | undefined): void {
    const before = this.#gateways.get(id);
    if (gateway === undefined) this.#gateways.delete(id);
    else this.#gateways.set(id, gateway);
    this.#snapshot = snapshotOf(this.#gateways.values());
    this.#options.changes.announce();
    this.#onSwap();
    if (before === undefined) return;
    const { drainMs, events } = this.#options;
    const replaced = before.upstream === gateway?.upstream ? undefined : before.upstream;
    const drained = replaced ? this.#drain(replaced, drainMs) : Promise.resolve();
    if (gateway === undefined)
      void drained.then(() => events('upstream.removed', { gateway: before.record?.slug ?? id }));
  }

  /** An upstream that is not dialled yet; give it to `swap` or `discard`. @throws GatewayError config_invalid */
  open(config: UpstreamConfig, facts?: UpstreamFacts): Upstream {
    const { channels, clock, events, viaName, stdio } = this.#options;
    const onListing = (upstream: Upstream, news: ListingNews) => this.#follower.heard(upstream, news);
    return new Upstream(config, { channels, clock, events, viaName, stdio, onListing }, facts);
  }

  /** Dials an upstream and reads its listing. @throws GatewayError every dial code, shutting_down */
  connect(grant: Grant, upstream: Upstream): Promise<UpstreamFacts> {
    return this.withDeadline((signal) => upstream.connect(grant, signal));
  }

  /** Runs something that dials, until its time is up or the gateway closes. @throws GatewayError upstream_timeout, shutting_down */
  withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withDeadline(this.#options.clock, CONNECT_MS, this.#closing.signal, work);
  }

  /** Runs `work`; when it fails, the upstream that would have served is closed. */
  async discardedOnFailure<T>(upstream: Upstream | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (upstream) void this.#drain(upstream, 0);
      throw error;
    }
  }

  /** @throws GatewayError shutting_down */
  refuseWhenClosing(): void {
    if (this.#closing.signal.aborted) throw shuttingDown();
  }

  /** Ends every dial under way; nothing may be swapped any more. */
  abort(): void {
    if (!this.#closing.signal.aborted) this.#closing.abort(shuttingDown());
  }

  /** Closes every upstream after calls in flight had `drainMs` to finish. */
  async close(drainMs: number): Promise<void> {
    this.abort();
    for (const { upstream } of this.#gateways.values()) if (upstream) void this.#drain(upstream, drainMs);
    await Promise.all(this.#drains);
  }

  #drain(upstream: Upstream, drainMs: number): Promise<void> {
    const drained = upstream.close(drainMs).finally(() => this.#drains.delete(drained));
    this.#drains.add(drained);
    this.#options.waitUntil(drained);
    return drained;
  }
}

const shuttingDown = (): GatewayError => new GatewayError('shutting_down', 'the gateway is shutting down');
