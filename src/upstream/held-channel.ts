import { GatewayError } from '../base/errors.ts';
import type { Lease } from '../base/leased-cache.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import type { Channel, CutCount, PeerChain } from '../tls/dialer.ts';
import { fingerprintOf } from '../tls/fingerprint.ts';
import type { TlsProfile } from '../tls/profile.ts';
import { withdrawalJudge, type Withdrawal } from '../tls/withdrawal.ts';

/** Connections that were cut because their peer is not acceptable any more. */
export interface WithdrawalCut extends CutCount {
  readonly why: Withdrawal;
}

interface Held {
  readonly profile: TlsProfile | undefined;
  readonly lease: Lease<Channel>;
}

/**
 * The channel of one upstream: held from the first request to the end, so that no idle bound of the cache takes it.
 * Where whom to believe has changed since, what is under way finishes on the channel it began on.
 */
export class HeldChannel {
  readonly #channels: ChannelCache;
  readonly #origin: string;
  readonly #owner: string;
  #profile: TlsProfile | undefined;
  #held: Held | undefined;
  #opening: Promise<Channel> | undefined;
  /** Channels of profiles before this one on which something still runs. */
  readonly #left = new Set<Held>();

  constructor(channels: ChannelCache, profile: TlsProfile | undefined, origin: string, owner: string) {
    this.#channels = channels;
    this.#profile = profile;
    this.#origin = origin;
    this.#owner = owner;
  }

  /** The channel, at once when it is open. */
  get(): Channel | Promise<Channel> {
    const channel = this.#held?.lease.value;
    return channel === undefined || channel.closed ? this.#open() : channel;
  }

  /** Opens connections ahead, until there are `count`. @throws GatewayError config codes */
  async warm(count: number): Promise<void> {
    await (await this.get()).warm(count);
  }

  /**
   * Dials with `after` from here on, and cuts the connections whose peer it does not accept: all of them, where peers
   * cannot be seen and whom to believe has changed. Nothing without TLS.
   *
   * @returns what was cut, by reason
   */
  async withdraw(after: TlsProfile, nowMs: number): Promise<readonly WithdrawalCut[]> {
    if (this.#profile === undefined) return [];
    this.#leave(after);
    const lefts = [...this.#left];
    if (!this.#channels.showsPeers) return lefts.flatMap((left) => withdrawUnseen(left, after));
    const cuts = await Promise.all(lefts.map((left) => withdrawOn(left, after, nowMs)));
    return cuts.flat();
  }

  /** Ends every connection; the next request opens a new one. */
  cut(error: GatewayError): CutCount {
    const counts = this.#all().map(({ lease }) => lease.value.destroy(error));
    return {
      connections: counts.reduce((sum, { connections }) => sum + connections, 0),
      requests: counts.reduce((sum, { requests }) => sum + requests, 0),
    };
  }

  /** Ends the requests of a group; how many. */
  end(group: object, error: GatewayError): number {
    return this.#all().reduce((sum, { lease }) => sum + lease.value.end(group, error), 0);
  }

  /** Gives it back, once one that is being opened is there. Never rejects. */
  async release(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    this.#held?.lease.release();
  }

  /** The channel opens no connection any more, so nobody new comes to be judged on it. */
  #leave(after: TlsProfile): void {
    const held = this.#held;
    if (this.#profile?.fingerprint === after.fingerprint) return;
    this.#profile = after;
    this.#held = undefined;
    if (held === undefined) return;
    this.#left.add(held);
    void held.lease.value.drain(Number.POSITIVE_INFINITY).then(() => {
      this.#left.delete(held);
      held.lease.release();
    });
  }

  #all(): readonly Held[] {
    return [...this.#left, ...(this.#held ? [this.#held] : [])];
  }

  async #open(): Promise<Channel> {
    this.#opening ??= this.#take().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #take(): Promise<Channel> {
    for (;;) {
      this.#held?.lease.release();
      const profile = this.#profile;
      const lease = await this.#channels.lease(profile, this.#origin, this.#owner);
      if (profile === this.#profile) {
        this.#held = { profile, lease };
        return lease.value;
      }
      lease.release();
    }
  }
}

async function withdrawOn(
  { lease: { value: channel }, profile }: Held,
  after: TlsProfile,
  nowMs: number,
): Promise<readonly WithdrawalCut[]> {
  if (profile === undefined) return [];
  const peers = channel.peers();
  if (peers.length === 0) return [];
  const judge = await withdrawalJudge(profile, after, nowMs);
  const chains = new Map<Withdrawal, PeerChain[]>();
  for (const chain of peers) {
    const why = await judge(chain);
    if (why !== undefined) chains.set(why, [...(chains.get(why) ?? []), chain]);
  }
  return [...chains].map(([why, of]) => ({ why, ...channel.cut(of, withdrawn(why)) }));
}

const REASONS: Readonly<Record<Withdrawal, string>> = {
  trust: 'nobody this upstream trusts now vouches for the server',
  revoked: "the server's certificate was revoked",
  pin: 'the key of the server is not pinned any more',
  expired: "the server's certificate has expired",
};

/** Nobody can say whether an unseen peer would be accepted still, so it is not. */
function withdrawUnseen({ lease: { value: channel }, profile }: Held, after: TlsProfile): readonly WithdrawalCut[] {
  if (profile === undefined || believedBy(profile) === believedBy(after)) return [];
  return [{ why: 'trust', ...channel.destroy(withdrawn('trust')) }];
}

const believedBy = (profile: TlsProfile): string => fingerprintOf({ ...profile, identity: undefined });

function withdrawn(why: Withdrawal): GatewayError {
  return new GatewayError('identity_withdrawn', `the connection was cut: ${REASONS[why]}`, {
    hint: 'the request may have been carried out; sent again it goes over a new connection, where the server is judged anew',
    details: { why },
  });
}
