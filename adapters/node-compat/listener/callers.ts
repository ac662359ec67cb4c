import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { isTooDeep, withdrawalJudge } from '../../../src/index.ts';
import type { Clock, EventSink, OcspGuard, OcspRefusal, PeerRules, Withdrawal } from '../../../src/index.ts';
import { createRevocationCheck } from '../dialer/revocation-check.ts';
import type { RevocationCheck } from '../dialer/revocation-check.ts';
import { rawOf } from '../dialer/shown-chain.ts';
import type { ShownChain } from '../dialer/shown-chain.ts';
import type { TlsTraits } from '../runtime.ts';
import { peerAddress } from './address.ts';
import { judgeCaller, subjectOf } from './caller-admission.ts';
import type { Admitted, CallerVerdict } from './caller-admission.ts';
import { lookAt } from './caller-chain.ts';
import type { CallerTrust } from './caller-trust.ts';
import { tellHandshake } from './handshakes.ts';

export interface CallersOptions {
  readonly trust: CallerTrust;
  /** How long a handshake may take. */
  readonly handshakeMs: number;
  readonly traits: TlsTraits;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Absent where callers are not looked up by OCSP. */
  readonly ocsp?: OcspGuard | undefined;
}

type Judge = (chain: ShownChain) => Promise<Withdrawal | undefined>;

/** The connections of one listener whose callers showed a certificate. */
export class Callers {
  readonly #open = new Map<TLSSocket, ShownChain>();
  /** How to stop looking at them again. */
  readonly #watches = new Map<TLSSocket, () => void>();
  readonly #options: CallersOptions;
  #trust: CallerTrust;
  #rules: PeerRules;
  /** What the handshake itself leaves out. */
  #revocation: RevocationCheck | undefined;
  readonly #passesUnlisted: boolean;
  /** Until when handshakes may end that began under other rules; monotonic. */
  #lateUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: CallersOptions) {
    this.#options = options;
    this.#trust = options.trust;
    this.#rules = rulesOf(options.trust);
    this.#passesUnlisted = options.trust.passesUnlisted ?? false;
    this.#revocation = this.#revocationCheck();
  }

  /** Whether a connection may be served, its handshake being over; who is refused is told of. */
  admit(socket: TLSSocket): boolean | Promise<boolean> {
    // before anything is awaited: a socket that was closed tells nothing
    const address = peerAddress(socket);
    let leaf: X509Certificate | undefined;
    const decide = (verdict: CallerVerdict): boolean => {
      if (verdict.refusal === undefined) return this.#serve(socket, verdict);
      const subject = leaf && subjectOf(leaf);
      const who = { ...(subject !== undefined && { subject }), ...(address !== undefined && { address }) };
      this.#options.events('listener.refused', { reason: verdict.refusal, ...who });
      return false;
    };
    try {
      const chain = lookAt(socket, this.#trust.anchors);
      [leaf] = chain;
      if (leaf !== undefined && socket.authorized) this.#follow(socket, chain);
      const verdict = this.#judged(socket, chain);
      return verdict instanceof Promise ? verdict.then(decide) : decide(verdict);
    } catch {
      // whatever somebody made of a certificate, it ends nobody else's connection
      return decide({ refusal: 'certificate_untrusted' });
    }
  }

  #judged(socket: TLSSocket, chain: ShownChain): CallerVerdict | Promise<CallerVerdict> {
    const { traits, clock, ocsp } = this.#options;
    const held = { trust: this.#trust, rules: this.#rules, revocation: this.#revocation, ocsp, traits, clock };
    return judgeCaller(socket, chain, held);
  }

  /** By one listener for its end, as sockets of Bun have nearly as many as are taken for a leak. */
  #follow(socket: TLSSocket, chain: ShownChain): void {
    this.#open.set(socket, chain);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#watches.get(socket)?.();
      this.#watches.delete(socket);
    });
    if (this.#options.clock.monotonicMs() < this.#lateUntilMs) void this.#cut([socket], this.#judge(this.#rules));
  }

  #serve(socket: TLSSocket, { asked }: Admitted): boolean {
    if (socket.destroyed) return false;
    const { ocsp, events } = this.#options;
    const [leaf] = this.#open.get(socket) ?? [];
    tellHandshake(socket, leaf, events);
    const cut = ({ why }: OcspRefusal): void => {
      socket.destroy();
      events('listener.cut', { connections: 1, why });
    };
    if (ocsp && asked) this.#watches.set(socket, ocsp.watch(asked.peer, asked.untilMs, cut));
    return true;
  }

  #revocationCheck(): RevocationCheck | undefined {
    const { traits, clock, events } = this.#options;
    if (!this.#passesUnlisted) return traits.checksCrls ? undefined : createRevocationCheck(this.#rules, clock);
    const passed = (socket: TLSSocket): void => {
      const [leaf] = this.#open.get(socket) ?? [];
      events('revocation.passed', { side: 'listener', peer: leaf ? subjectOf(leaf) : '', why: 'no current list' });
    };
    const check = createRevocationCheck(this.#rules, clock, passed);
    // lists are asked for, and there is none at all
    return check ?? (async (socket) => (passed(socket), 'good'));
  }

  /** Holds every connection to these rules from now on; resolves with the number of those that were cut for it. */
  hold(trust: CallerTrust): Promise<number> {
    const { clock } = this.#options;
    const [before, after] = [this.#rules, rulesOf(trust)];
    this.#trust = trust;
    if (isSame(before, after)) return this.#cut([...this.#open.keys()], expiryAt(clock.nowMs()));
    this.#rules = after;
    this.#revocation = this.#revocationCheck();
    this.#lateUntilMs = clock.monotonicMs() + this.#options.handshakeMs;
    return this.#cut([...this.#open.keys()], this.#judge(before));
  }

  #judge(before: PeerRules): Judge {
    const [after, nowMs] = [this.#rules, this.#options.clock.nowMs()];
    const { anchors, maxIntermediates } = this.#trust;
    let judge: ReturnType<typeof withdrawalJudge> | undefined;
    return async (chain) => {
      const why = await (await (judge ??= withdrawalJudge(before, after, nowMs)))(rawOf(chain));
      if (why !== undefined || maxIntermediates === undefined) return why;
      return (await isTooDeep(rawOf(chain), anchors, maxIntermediates)) ? 'trust' : undefined;
    };
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

const rulesOf = ({ anchors, crls, pins = [] }: CallerTrust): PeerRules => ({
  trust: { mode: 'only', anchors },
  crls,
  pins,
  verify: true,
});

const isSame = (a: PeerRules, b: PeerRules): boolean => textOf(a) === textOf(b);
const textOf = ({ trust, crls, pins }: PeerRules): string =>
  JSON.stringify([trust.mode === 'system' ? [] : trust.anchors.map(({ pem }) => pem), crls, pins]);

/** Under the same rules only dates can have passed. */
const expiryAt =
  (nowMs: number): Judge =>
  async (chain) =>
    chain.some(({ validTo }) => nowMs > Date.parse(validTo)) ? 'expired' : undefined;
