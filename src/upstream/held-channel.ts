import type { Lease } from '../base/leased-cache.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import type { Channel } from '../tls/dialer.ts';
import type { TlsProfile } from '../tls/profile.ts';

/** The channel of one upstream: held from the first request to the end, so that no idle bound of the cache takes it. */
export class HeldChannel {
  readonly #channels: ChannelCache;
  readonly #profile: TlsProfile | undefined;
  readonly #origin: string;
  #lease: Lease<Channel> | undefined;
  #opening: Promise<Lease<Channel>> | undefined;

  constructor(channels: ChannelCache, profile: TlsProfile | undefined, origin: string) {
    this.#channels = channels;
    this.#profile = profile;
    this.#origin = origin;
  }

  /** The channel, at once when it is open. */
  get(): Channel | Promise<Channel> {
    const held = this.#lease?.value;
    return held === undefined || held.closed ? this.#open() : held;
  }

  /** Gives it back, once one that is being opened is there. Never rejects. */
  async release(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    this.#lease?.release();
  }

  async #open(): Promise<Channel> {
    this.#opening ??= this.#take();
    try {
      return (await this.#opening).value;
    } finally {
      this.#opening = undefined;
    }
  }

  async #take(): Promise<Lease<Channel>> {
    this.#lease?.release();
    this.#lease = await this.#channels.lease(this.#profile, this.#origin);
    return this.#lease;
  }
}
