import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { Grant } from '../policy/grant.ts';
import type { Listing, UpstreamFacts } from '../upstream/facts.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Committer } from './committer.ts';
import type { LiveGateways } from './live-gateways.ts';
import { refreshReport } from './refresh-report.ts';
import type { RefreshReport } from './refresh-report.ts';
import type { RegisteredGateway } from './snapshot.ts';

/** Reads the listings of gateways again, of each one at a time. */
export class Refresher {
  readonly #live: LiveGateways;
  readonly #committer: Committer;
  readonly #clock: Clock;
  readonly #refreshing = new Set<string>();
  /** What of an upstream is stored. */
  readonly #stored = new WeakMap<Upstream, Listing>();

  constructor(live: LiveGateways, committer: Committer, clock: Clock) {
    this.#live = live;
    this.#committer = committer;
    this.#clock = clock;
  }

  isRefreshing(id: string): boolean {
    return this.#refreshing.has(id);
  }

  /**
   * Reads a listing because somebody asked, and says what changed.
   *
   * @throws GatewayError gateway_inactive, refresh_running, why nothing serves the gateway, every dial code
   */
  async refresh(grant: Grant, { id, record, upstream, refusal }: RegisteredGateway): Promise<RefreshReport> {
    if (upstream === undefined)
      throw refusal ?? new GatewayError('upstream_unavailable', 'nothing serves this gateway');
    if (!record.enabled)
      throw new GatewayError('gateway_inactive', `the gateway ${record.slug} is not active`, {
        hint: 'activate it first: POST …/state?activate=true',
      });
    if (this.#refreshing.has(id))
      throw new GatewayError('refresh_running', `the gateway ${record.slug} is being refreshed already`);
    const before = upstream.facts?.listing;
    const startedMs = this.#clock.monotonicMs();
    const { listing, listedAt } = await this.relist(grant, id, upstream);
    const durationMs = Math.round(this.#clock.monotonicMs() - startedMs);
    return refreshReport(before, listing, { gatewayId: id, durationMs, refreshedAt: listedAt });
  }

  /**
   * Connects an upstream again and keeps its listing, unless another one took its place meanwhile.
   *
   * @throws GatewayError every dial code, store_unavailable, shutting_down
   */
  async relist(grant: Grant, id: string, upstream: Upstream): Promise<UpstreamFacts> {
    this.#refreshing.add(id);
    try {
      const facts = await this.#live.connect(grant, upstream);
      await this.#committer.keepListing(id, upstream, facts);
      this.#stored.set(upstream, facts.listing);
      return facts;
    } finally {
      this.#refreshing.delete(id);
    }
  }

  /**
   * Has changes told where the upstream tells them, reads again what changed or could not be read, and keeps what is
   * listed otherwise than at the last visit.
   *
   * @throws GatewayError store_unavailable, shutting_down
   */
  async tend(grant: Grant, id: string, upstream: Upstream): Promise<void> {
    upstream.listings.watch(grant);
    if (upstream.listings.isDue) await upstream.listings.rereadDue(grant);
    const { facts } = upstream;
    if (facts === undefined) return;
    const stored = this.#stored.get(upstream) ?? facts.listing;
    if (stored !== facts.listing) await this.#committer.keepListing(id, upstream, facts);
    this.#stored.set(upstream, facts.listing);
  }
}
