import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { equalBytes, revocationJudge, withdrawalJudge } from '../../../src/index.ts';
import type { Clock, EventSink, PeerRules, Withdrawal } from '../../../src/index.ts';
import { completedChain } from '../dialer/shown-chain.ts';
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

/** What a caller showed, leaf first. */
type Chain = readonly X509Certificate[];
type Judge = (chain: Chain) => Promise<Withdrawal | undefined>;

/** The connections of one listener whose callers showed a certificate. */
export class Callers {
  readonly #open = new Map<TLSSocket, Chain>();
  readonly #options: CallersOptions;
  #rules: PeerRules;
  #revocation: ReturnType<typeof revocationJudge> | undefined;
  /** Until when handshakes may end that began under other rules; monotonic. */
  #lateUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: CallersOptions) {
    this.#options = options;
    this.#rules = rulesOf(options.trust);
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
    return this.#options.traits.checksCrls || this.#rules.crls.length === 0 || this.#isListedAsGood(socket);
  }

  /** Whether nobody in the chain of a caller is revoked; in doubt it is not. */
  async #isListedAsGood(socket: TLSSocket): Promise<boolean> {
    const { trust, crls } = this.#rules;
    try {
      const judge = await (this.#revocation ??= revocationJudge(trust, crls));
      return (await judge(completedChain(socket), this.#options.clock.nowMs())) === 'good' && !socket.destroyed;
    } catch {
      return false;
    }
  }

  #shown(socket: TLSSocket): Chain {
    const { trust } = this.#rules;
    const chain = chainOf(socket);
    if (!this.#options.traits.completesChains || trust.mode === 'system') return chain;
    return chain.filter(({ raw }, index) => index === 0 || !trust.anchors.some(({ der }) => equalBytes(der, raw)));
  }

  /** Holds every connection to these rules from now on; resolves with the number of those that were cut for it. */
  hold(trust: CallerTrust): Promise<number> {
    const { clock } = this.#options;
    const [before, after] = [this.#rules, rulesOf(trust)];
    if (isSame(before, after)) return this.#cut([...this.#open.keys()], expiryAt(clock.nowMs()));
    this.#rules = after;
    this.#revocation = undefined;
    this.#lateUntilMs = clock.monotonicMs() + this.#options.handshakeMs;
    return this.#cut([...this.#open.keys()], this.#judge(before));
  }

  #judge(before: PeerRules): Judge {
    const [after, nowMs] = [this.#rules, this.#options.clock.nowMs()];
    let judge: ReturnType<typeof withdrawalJudge> | undefined;
    return async (chain) => (await (judge ??= withdrawalJudge(before, after, nowMs)))(chain.map(({ raw }) => raw));
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

/** What a caller showed, leaf first; empty where it showed nothing. */
export function chainOf(socket: TLSSocket): Chain {
  const chain: X509Certificate[] = [];
  for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) chain.push(next);
  return chain;
}
