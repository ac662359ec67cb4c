import type { TLSSocket } from 'node:tls';
import { withdrawalJudge } from '../../../src/index.ts';
import type { Clock, EventSink, PeerRules, Withdrawal } from '../../../src/index.ts';
import { createRevocationCheck, type RevocationCheck } from '../dialer/revocation-check.ts';
import { rawOf, type ShownChain, shownChain, withoutAnchors } from '../dialer/shown-chain.ts';
import type { TlsTraits } from '../runtime.ts';
import type { CallerTrust } from './caller-trust.ts';

export interface CallersOptions {
  readonly trust: CallerTrust;
  /** How long a handshake may take. */
  readonly handshakeMs: number;
  readonly traits: TlsTraits;
  readonly clock: Clock;
  readonly events: EventSink;
}

type Judge = (chain: ShownChain) => Promise<Withdrawal | undefined>;

/** The connections of one listener whose callers showed a certificate. */
export class Callers {
  readonly #open = new Map<TLSSocket, ShownChain>();
  readonly #options: CallersOptions;
  #rules: PeerRules;
  /** What the handshake itself leaves out. */
  #revocation: RevocationCheck | undefined;
  /** Until when handshakes may end that began under other rules; monotonic. */
  #lateUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: CallersOptions) {
    this.#options = options;
    this.#rules = rulesOf(options.trust);
    this.#revocation = this.#revocationCheck();
  }

  /**
   * Whether a connection may be served, its handshake being over. Where certificates are optional, Node lets in whoever
   * has a wrong one. A promise where revocation lists were not looked at yet.
   */
  admit(socket: TLSSocket): boolean | Promise<boolean> {
    if (socket.getPeerX509Certificate() === undefined) return true;
    if (!socket.authorized) return false;
    this.#open.set(socket, this.#shown(socket));
    socket.once('close', () => this.#open.delete(socket));
    if (this.#options.clock.monotonicMs() < this.#lateUntilMs) void this.#cut([socket], this.#judge(this.#rules));
    return this.#revocation === undefined || isListedAsGood(socket, this.#revocation);
  }

  #revocationCheck(): RevocationCheck | undefined {
    const { traits, clock } = this.#options;
    return traits.checksCrls ? undefined : createRevocationCheck(this.#rules, clock);
  }

  #shown(socket: TLSSocket): ShownChain {
    const { trust } = this.#rules;
    const chain = shownChain(socket.getPeerX509Certificate());
    if (!this.#options.traits.completesChains || trust.mode === 'system') return chain;
    return withoutAnchors(chain, trust.anchors);
  }

  /** Holds every connection to these rules from now on; resolves with the number of those that were cut for it. */
  hold(trust: CallerTrust): Promise<number> {
    const { clock } = this.#options;
    const [before, after] = [this.#rules, rulesOf(trust)];
    if (isSame(before, after)) return this.#cut([...this.#open.keys()], expiryAt(clock.nowMs()));
    this.#rules = after;
    this.#revocation = this.#revocationCheck();
    this.#lateUntilMs = clock.monotonicMs() + this.#options.handshakeMs;
    return this.#cut([...this.#open.keys()], this.#judge(before));
  }

  #judge(before: PeerRules): Judge {
    const [after, nowMs] = [this.#rules, this.#options.clock.nowMs()];
    let judge: ReturnType<typeof withdrawalJudge> | undefined;
    return async (chain) => (await (judge ??= withdrawalJudge(before, after, nowMs)))(rawOf(chain));
  }

  /** One chain after the other: to judge one takes 2 ms, in which calls want to go on. */
  async #cut(sockets: readonly TLSSocket[], judge: Judge): Promise<number> {
    const shown = sockets.map((socket) => ({ socket, chain: this.#open.get(socket) ?? [] }));
    const alike = Map.groupBy(shown, ({ chain }) => chain.map(({ fingerprint256 }) => fingerprint256).join());
    const cut = new Map<Withdrawal, number>();
    for (const group of alike.values()) {
      // a chain that cannot be judged is not accepted
      const why = await judge(group[0]?.chain ?? []).catch(() => 'trust' as const);
      if (why === undefined) continue;
      const open = group.filter(({ socket }) => !socket.destroyed);
      for (const { socket } of open) socket.destroy();
      cut.set(why, (cut.get(why) ?? 0) + open.length);
    }
    let total = 0;
    for (const [why, connections] of cut) {
      this.#options.events('listener.cut', { connections, why });
      total += connections;
    }
    return total;
  }
}

const isListedAsGood = async (socket: TLSSocket, check: RevocationCheck): Promise<boolean> =>
  (await check(socket)) === 'good' && !socket.destroyed;

const rulesOf = ({ anchors, crls }: CallerTrust): PeerRules => ({
  trust: { mode: 'only', anchors },
  crls,
  pins: [],
  verify: true,
});

const isSame = (a: PeerRules, b: PeerRules): boolean => textOf(a) === textOf(b);
const textOf = ({ trust, crls }: PeerRules): string =>
  JSON.stringify([trust.mode === 'system' ? [] : trust.anchors.map(({ pem }) => pem), crls]);

/** Under the same rules only dates can have passed. */
const expiryAt =
  (nowMs: number): Judge =>
  async (chain) =>
    chain.some(({ validTo }) => nowMs > Date.parse(validTo)) ? 'expired' : undefined;
