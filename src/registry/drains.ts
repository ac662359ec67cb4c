import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { TlsProfile } from '../tls/profile.ts';
import type { CutCount } from '../tls/dialer.ts';
import type { EventLabel, UpstreamConfig } from '../upstream/upstream-config.ts';
import type { Upstream } from '../upstream/upstream.ts';

export interface DrainsOptions {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Milliseconds that calls and streams have to end on an upstream that was replaced or removed. */
  readonly drainMs: number;
}

/**
 * Upstreams that serve no more, by the gateway they belonged to: what is under way on them may end in its time, unless
 * a later form of the gateway does not accept their server any more.
 */
export class Drains {
  readonly #options: DrainsOptions;
  readonly #draining = new Map<string, Set<Upstream>>();
  readonly #endings = new Set<Promise<void>>();

  constructor(options: DrainsOptions) {
    this.#options = options;
  }

  /** How many upstreams have not come to their end, by gateway slug. */
  get counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const upstreams of this.#draining.values())
      for (const { config } of upstreams) counts.set(config.slug, (counts.get(config.slug) ?? 0) + 1);
    return counts;
  }

  /** The gateways that have upstreams which drain, removed ones included. */
  get ids(): readonly string[] {
    return [...this.#draining.keys()];
  }

  /** Lets an upstream end; resolves once nothing of it is left. */
  begin(id: string, upstream: Upstream): Promise<void> {
    const { drainMs, events } = this.#options;
    const label = labelOf(upstream.config);
    this.#of(id).add(upstream);
    events('upstream.draining', { ...label, active: upstream.connections.active });
    return this.#following(
      upstream.close(drainMs).then((cut) => {
        this.#forget(id, upstream);
        events('upstream.drained', { ...label, cut });
      }),
    );
  }

  /** Ends an upstream that never served. */
  discard(upstream: Upstream): void {
    void this.#following(upstream.close(0).then(() => undefined));
  }

  /** Holds the connections of a gateway's former upstreams to whom it believes now. */
  judge(id: string, after: TlsProfile): void {
    for (const upstream of this.#draining.get(id) ?? []) void this.#following(this.#withdraw(upstream, after));
  }

  /** Ends every connection of a gateway's former upstreams and of `current`. */
  cut(id: string, current: Upstream | undefined): void {
    for (const upstream of [...(this.#draining.get(id) ?? []), ...(current ? [current] : [])])
      this.#report(upstream, 'operator', upstream.connections.cut(cutError()));
  }

  /** Ends what still drains, and those that served to the last, after `drainMs`. */
  async close(serving: readonly Upstream[], drainMs: number): Promise<void> {
    for (const upstreams of this.#draining.values()) for (const upstream of upstreams) void upstream.close(drainMs);
    for (const upstream of serving)
      void this.#following(
        upstream.close(drainMs).then((cut) => {
          if (cut > 0) this.#options.events('upstream.drained', { ...labelOf(upstream.config), cut });
        }),
      );
    await Promise.all(this.#endings);
  }

  async #withdraw(upstream: Upstream, after: TlsProfile): Promise<void> {
    try {
      for (const { why, ...count } of await upstream.connections.withdraw(after)) this.#report(upstream, why, count);
    } catch {
      // a chain that cannot be judged is held to be withdrawn
      this.#report(upstream, 'trust', upstream.connections.cut(unjudged()));
    }
  }

  #report(upstream: Upstream, why: 'trust' | 'revoked' | 'pin' | 'expired' | 'operator', count: CutCount): void {
    if (count.connections > 0) this.#options.events('upstream.cut', { ...labelOf(upstream.config), ...count, why });
  }

  #of(id: string): Set<Upstream> {
    const known = this.#draining.get(id) ?? new Set();
    this.#draining.set(id, known);
    return known;
  }

  #forget(id: string, upstream: Upstream): void {
    const left = this.#draining.get(id);
    left?.delete(upstream);
    if (left?.size === 0) this.#draining.delete(id);
  }

  #following(work: Promise<void>): Promise<void> {
    const followed = work.finally(() => this.#endings.delete(followed));
    this.#endings.add(followed);
    this.#options.waitUntil(followed);
    return followed;
  }
}

function labelOf({ slug, insecureTls }: UpstreamConfig): EventLabel {
  return { gateway: slug, ...(insecureTls && { insecureTls }) };
}

function cutError(): GatewayError {
  return new GatewayError('connection_cut', 'an operator had every connection with this upstream ended', {
    hint: 'the request may have been carried out; sent again it goes over a new connection',
  });
}

function unjudged(): GatewayError {
  return new GatewayError('identity_withdrawn', 'the connection was cut: the chain of the server cannot be judged', {
    hint: 'the request may have been carried out; sent again it goes over a new connection, where the server is judged anew',
  });
}
