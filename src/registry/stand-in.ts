import type { Clock } from '../base/clock.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Grant } from '../policy/grant.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Exclusive } from './exclusive.ts';
import { presentedBy, profileWith } from './gateway-profiles.ts';
import type { IdentityName } from './gateway-profiles.ts';
import type { LiveGateways } from './live-gateways.ts';
import type { ReadableGateway } from './snapshot.ts';

export interface StandInOptions {
  readonly clock: Clock;
  readonly events: EventSink;
  /** Milliseconds between two visits of a gateway. */
  readonly healthIntervalMs: number;
}

/** How many visits long an identity stands in before the current one is tried again. */
const VISITS = 10;

/**
 * Has the next or the retiring identity of a gateway serve while the server refuses the current one, as between the
 * moves of the two sides. Only upkeep decides it, by requests of the gateway's own: no call is sent twice for it.
 */
export class StandIn {
  readonly #live: LiveGateways;
  readonly #exclusive: Exclusive;
  readonly #options: StandInOptions;
  /** Gateways that are being looked at. */
  readonly #trying = new Set<string>();
  /** When the current identity was last found to be refused, by what stands in for it. */
  readonly #refusedMs = new WeakMap<Upstream, number>();

  /** @param exclusive changes of one gateway, by its id */
  constructor(live: LiveGateways, exclusive: Exclusive, options: StandInOptions) {
    this.#live = live;
    this.#exclusive = exclusive;
    this.#options = options;
  }

  /** Whether something could stand in for what a gateway presents, after a failure with this code. */
  mayHelp(id: string, code: ErrorCode): boolean {
    const { next, retiring } = this.#live.get(id)?.profiles ?? {};
    return (next ?? retiring) !== undefined && mayBeRefusal(code);
  }

  /** Looks, after a visit, whether another identity should be presented from now on. Never fails. */
  async tend(grant: Grant, id: string): Promise<void> {
    const gateway = this.#live.get(id);
    if (gateway?.upstream === undefined || this.#trying.has(id)) return;
    this.#trying.add(id);
    try {
      for (const name of this.#candidates(gateway)) if (await this.#present(name, grant, gateway)) return;
    } finally {
      this.#trying.delete(id);
    }
  }

  #candidates({ id, upstream, profiles }: ReadableGateway): readonly IdentityName[] {
    const profile = upstream?.config.profile;
    if (upstream === undefined || profile === undefined || profiles === undefined) return [];
    const presented = presentedBy(profile, profiles);
    const { status, reason } = upstream.health;
    if (status === 'failing' && reason && this.mayHelp(id, reason.code))
      return (['current', 'next', 'retiring'] as const).filter((name) => name !== presented);
    return presented !== 'current' && this.#isDue(upstream) ? ['current'] : [];
  }

  #isDue(upstream: Upstream): boolean {
    const { clock, healthIntervalMs } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - (this.#refusedMs.get(upstream) ?? 0) < VISITS * healthIntervalMs) return false;
    this.#refusedMs.set(upstream, nowMs);
    return true;
  }

  /** Connects with an identity and has it serve; false where the server refuses it too. */
  async #present(name: IdentityName, grant: Grant, gateway: ReadableGateway): Promise<boolean> {
    const { id, record, upstream, profiles } = gateway;
    const profile = profiles && profileWith(profiles, name);
    if (upstream === undefined || profile === undefined) return false;
    const other = this.#live.open({ ...upstream.config, profile });
    let serves = false;
    try {
      await this.#live.connect(grant, other);
      // a server that was away and is back accepts both
      const isWanted = name === 'current' || (await this.#isFailing(grant, upstream));
      serves = isWanted && (await this.#exclusive.run(id, async () => this.#swap(gateway, other)));
    } catch {
      // why is in the events of `other`
    } finally {
      if (!serves) await other.close(0);
    }
    if (serves) this.#options.events('upstream.stands_in', { gateway: record.slug, presenting: name });
    return serves;
  }

  async #isFailing(grant: Grant, upstream: Upstream): Promise<boolean> {
    const { status } = await this.#live.withDeadline((signal) => upstream.probe(grant, signal));
    return status === 'failing';
  }

  /** False where the gateway was changed meanwhile. */
  #swap(gateway: ReadableGateway, upstream: Upstream): boolean {
    if (this.#live.isClosing || this.#live.get(gateway.id) !== gateway) return false;
    this.#refusedMs.set(upstream, this.#options.clock.monotonicMs());
    this.#live.swap(gateway.id, { ...gateway, upstream });
    return true;
  }
}

/** Servers that refuse a certificate often close without a word: hence the second look before another one serves. */
const mayBeRefusal = (code: ErrorCode): boolean =>
  code === 'connection_lost' || code.startsWith('tls_client_certificate_');
