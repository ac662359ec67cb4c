import type { Clock } from '../base/clock.ts';
import type { EventSink } from '../base/events.ts';
import { type Lease, LeasedCache } from '../base/leased-cache.ts';
import type { Channel, Dialer, HandshakeReport } from './dialer.ts';
import type { TlsProfile } from './profile.ts';

export interface ChannelCacheOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Channels nobody leases that are kept for the next one who asks. */
  readonly maxIdle: number;
  /** Milliseconds a channel is handed out; absent means as long as it works. */
  readonly ttlMs?: number | undefined;
}

/** Channels that can be handed out, and those of them nobody leases. */
export interface ChannelCacheStats {
  readonly channels: number;
  readonly idle: number;
}

/**
 * One channel per owner, profile and origin: what one owner cuts is no other's. It is shared by all who lease it for
 * this owner. A channel that leaves the cache drains without a deadline: nothing here ever cuts a call.
 */
export class ChannelCache {
  readonly #dialer: Dialer;
  readonly #channels: LeasedCache<Channel>;
  readonly #open = new Set<Channel>();

  constructor({ dialer, clock, events, maxIdle, ttlMs }: ChannelCacheOptions) {
    this.#dialer = dialer;
    this.#channels = new LeasedCache({
      maxIdle,
      ttlMs,
      clock,
      dispose: (channel) => void this.#drain(channel, Number.POSITIVE_INFINITY),
      onUse: (outcome) => events('cache.used', { cache: 'channel', outcome }),
    });
  }

  /** Whether channels know whom they are connected with; where not, handshakes cannot be examined either. */
  get showsPeers(): boolean {
    return this.#dialer.capabilities.peerCertificate;
  }

  get stats(): ChannelCacheStats {
    return { channels: this.#channels.size, idle: this.#channels.idle };
  }

  /**
   * The channel of an owner for a profile (undefined for `http:` origins) and origin, opened when there is none that
   * takes requests.
   *
   * @throws GatewayError shutting_down after close, and what `dialer.open` throws
   */
  async lease(profile: TlsProfile | undefined, origin: string, owner: string): Promise<Lease<Channel>> {
    const key = `${profile?.fingerprint ?? 'plain'} ${origin} ${owner}`;
    for (;;) {
      const lease = await this.#channels.lease(key, () => this.#dial(profile, origin));
      if (!lease.value.closed) return lease;
      // Somebody destroyed it, as a withdrawn certificate demands.
      lease.discard();
    }
  }

  /** One handshake for people to read, by the dialer that opens the channels; no channel is touched. */
  examine(profile: TlsProfile, origin: string, signal: AbortSignal): Promise<HandshakeReport> {
    return this.#dialer.examine(profile, origin, signal);
  }

  /**
   * Refuses new leases, lets what still runs on any channel finish for `drainMs`, and cuts the rest; upstreams are
   * expected to have drained before, so the default is 0. Idempotent.
   */
  async close(drainMs = 0): Promise<void> {
    this.#channels.close();
    await Promise.all([...this.#open].map((channel) => this.#drain(channel, drainMs)));
  }

  async #dial(profile: TlsProfile | undefined, origin: string): Promise<Channel> {
    const channel = await this.#dialer.open(profile, origin);
    this.#open.add(channel);
    return channel;
  }

  async #drain(channel: Channel, deadlineMs: number): Promise<void> {
    await channel.drain(deadlineMs);
    this.#open.delete(channel);
  }
}
