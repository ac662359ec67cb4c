import type { ChangeFeed } from '../base/change-feed.ts';
import { GatewayError } from '../base/errors.ts';
import { within } from '../base/pause.ts';
import type { Grant } from '../policy/grant.ts';
import { isInScope } from '../rotation/generation.ts';
import type { RotationScope } from '../rotation/generation.ts';
import { keyOf } from '../store/keys.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import { withDeadline } from '../upstream/deadline.ts';
import type { UpstreamFacts } from '../upstream/facts.ts';
import type { StdioDeps } from '../upstream/ways.ts';
import type { ListingNews } from '../upstream/own-listings.ts';
import type { UpstreamConfig } from '../upstream/upstream-config.ts';
import { Upstream } from '../upstream/upstream.ts';
import type { UpstreamDeps } from '../upstream/upstream.ts';
import { Drains } from './drains.ts';
import type { DrainsOptions } from './drains.ts';
import { ListingFollower } from './listing-follower.ts';
import { inOrder, snapshotOf } from './snapshot.ts';
import type { RegisteredGateway, RegistrySnapshot } from './snapshot.ts';

export interface LiveGatewaysOptions extends DrainsOptions {
  readonly channels: ChannelCache;
  /** How this gateway names itself to those behind it. */
  readonly viaName: string;
  /** Told when another snapshot serves, or an upstream lists something else than before. */
  readonly changes: ChangeFeed;
  /** Undefined where no programs can be started. */
  readonly stdio?: StdioDeps | undefined;
}

/** Dialling, probing the eras and reading every listing; the dialer has its own, shorter limit for connecting. */
const CONNECT_MS = 30_000;

/** Enough for a busy upstream, and no storm of handshakes for an idle server. */
const MAX_WARM = 64;
const WARM_MS = 1_000;

/** The gateways in memory, the upstreams that serve them, and their end. Knows nothing of the store. */
export class LiveGateways {
  readonly #options: LiveGatewaysOptions;
  readonly #gateways = new Map<string, RegisteredGateway>();
  readonly #closing = new AbortController();
  readonly #drains: Drains;
  readonly #onSwap: () => void;
  readonly #onFailing: UpstreamDeps['onFailing'];
  readonly #follower: ListingFollower;
  #snapshot: RegistrySnapshot = snapshotOf([]);

  constructor(options: LiveGatewaysOptions, onSwap: () => void, onFailing?: UpstreamDeps['onFailing']) {
    this.#options = options;
    this.#onSwap = onSwap;
    this.#onFailing = onFailing;
    this.#drains = new Drains(options);
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
   * Puts gateways in the places of what was there, undefined for nothing, all in one snapshot; the upstreams before
   * them drain. A removal is reported once nothing of the upstream is left, so that nobody counts for it again.
   */
  swapAll(changes: ReadonlyMap<string, RegisteredGateway | undefined>): void {
    const before = new Map([...changes.keys()].map((id) => [id, this.#gateways.get(id)]));
    for (const [id, gateway] of changes) {
      if (gateway === undefined) this.#gateways.delete(id);
      else this.#gateways.set(id, gateway);
    }
    this.#snapshot = snapshotOf(this.#gateways.values());
    this.#options.changes.announce();
    this.#onSwap();
    for (const [id, gateway] of changes) this.#replaced(id, before.get(id), gateway);
  }

  /** Puts one gateway in the place of what was there, as `swapAll` does. */
  swap(id: string, gateway: RegisteredGateway | undefined): void {
    this.swapAll(new Map([[id, gateway]]));
  }

  /** The upstreams that were replaced or removed and have not ended, by gateway slug. */
  get draining(): ReadonlyMap<string, number> {
    return this.#drains.counts;
  }

  /** Ends every connection of the gateways in scope, also of those removed that still drain; new work opens new ones. */
  cut(scope: RotationScope): void {
    const ids = new Set([...this.#gateways.keys(), ...this.#drains.ids]);
    for (const id of ids)
      if (isInScope(keyOf('gateway', id), scope)) this.#drains.cut(id, this.#gateways.get(id)?.upstream);
  }

  #replaced(id: string, before: RegisteredGateway | undefined, gateway: RegisteredGateway | undefined): void {
    const { upstream: after } = gateway ?? {};
    const replaced = before?.upstream === after ? undefined : before?.upstream;
    if (replaced && after && gateway?.record?.enabled) replaced.succeededBy(after);
    const drained = replaced ? this.#drains.begin(id, replaced) : Promise.resolve();
    if (after?.config.profile) this.#drains.judge(id, after.config.profile);
    if (before && gateway === undefined)
      void drained.then(() => this.#options.events('upstream.removed', { gateway: before.record?.slug ?? id }));
  }

  /** An upstream that is not dialled yet; give it to `swap` or `discard`. @throws GatewayError config_invalid */
  open(config: UpstreamConfig, facts?: UpstreamFacts): Upstream {
    const { channels, clock, events, viaName, stdio } = this.#options;
    const onListing = (upstream: Upstream, news: ListingNews) => this.#follower.heard(upstream, news);
    const onFailing = this.#onFailing;
    const deps = { channels, clock, events, viaName, stdio, onListing, ...(onFailing && { onFailing }) };
    return new Upstream(config, deps, facts);
  }

  /** Dials an upstream and reads its listing. @throws GatewayError every dial code, shutting_down */
  connect(grant: Grant, upstream: Upstream): Promise<UpstreamFacts> {
    return this.withDeadline((signal) => upstream.connect(grant, signal));
  }

  /**
   * Opens as many connections for an upstream as the one it succeeds has requests under way, so that their successors
   * meet no handshake. Waits for a second at most, and never rejects.
   */
  async warm(upstream: Upstream, before: Upstream | undefined): Promise<void> {
    const count = Math.min(before?.connections.active ?? 0, MAX_WARM);
    const opened = upstream.connections.warm(count).catch(() => undefined);
    await within(this.#options.clock, WARM_MS, opened);
  }

  /** Asks an upstream whose offer is known for a sign of life. @throws GatewayError why it gives none, shutting_down */
  async tryOut(grant: Grant, upstream: Upstream): Promise<void> {
    const { reason } = await this.withDeadline((signal) => upstream.probe(grant, signal));
    if (reason) throw new GatewayError(reason.code, reason.message, reason);
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
      if (upstream) this.#drains.discard(upstream);
      throw error;
    }
  }

  /** Whether nothing may be swapped any more. */
  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** @throws GatewayError shutting_down */
  refuseWhenClosing(): void {
    if (this.isClosing) throw shuttingDown();
  }

  /** Ends every dial under way; nothing may be swapped any more. */
  abort(): void {
    if (!this.#closing.signal.aborted) this.#closing.abort(shuttingDown());
  }

  /** Closes every upstream after calls in flight had `drainMs` to finish. */
  async close(drainMs: number): Promise<void> {
    this.abort();
    const serving = [...this.#gateways.values()].flatMap(({ upstream }) => (upstream ? [upstream] : []));
    await this.#drains.close(serving, drainMs);
  }
}

const shuttingDown = (): GatewayError => new GatewayError('shutting_down', 'the gateway is shutting down');
