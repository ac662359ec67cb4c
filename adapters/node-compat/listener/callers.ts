import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { checkClientCertificate, isTooDeep, refusalOf, withdrawalJudge } from '../../../src/index.ts';
import type { Clock, EventSink, ListenerRefusal, PeerRules, Withdrawal } from '../../../src/index.ts';
import { createRevocationCheck, type RevocationCheck } from '../dialer/revocation-check.ts';
import { rawOf } from '../dialer/shown-chain.ts';
import type { ShownChain } from '../dialer/shown-chain.ts';
import type { TlsTraits } from '../runtime.ts';
import { lookAt } from './caller-chain.ts';
import type { CallerTrust } from './caller-trust.ts';
import { refusalFor } from './refusals.ts';

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

  /**
   * Whether a connection may be served, its handshake being over: Node lets in whoever has a wrong certificate, or none.
   * A promise where there is something to compute. Who is refused is told of.
   */
  admit(socket: TLSSocket): boolean | Promise<boolean> {
    // before anything is awaited: a socket that was closed tells nothing
    const { remoteAddress: address } = socket;
    const chain = lookAt(socket, this.#trust.anchors);
    const [leaf] = chain;
    const decide = (reason: ListenerRefusal | undefined): boolean => {
      if (reason === undefined) return !socket.destroyed;
      const subject = leaf?.subject.replaceAll('\n', ', ');
      const who = { ...(subject !== undefined && { subject }), ...(address !== undefined && { address }) };
      this.#options.events('listener.refused', { reason, ...who });
      return false;
    };
    if (leaf === undefined) return decide(this.#trust.isRequired ? 'certificate_missing' : undefined);
    if (!socket.authorized) {
      const found = this.#whyNot(socket, chain);
      return typeof found === 'string' ? decide(found) : found.then(decide);
    }
    this.#open.set(socket, chain);
    socket.once('close', () => this.#open.delete(socket));
    if (this.#options.clock.monotonicMs() < this.#lateUntilMs) void this.#cut([socket], this.#judge(this.#rules));
    const refusal = refusalOfLeaf(leaf, this.#rules.pins);
    if (refusal !== undefined) return decide(refusal);
    const { maxIntermediates } = this.#trust;
    if (this.#revocation === undefined && maxIntermediates === undefined) return true;
    return this.#looked(socket, chain).then(decide);
  }

  /** What takes time to find out. */
  async #looked(socket: TLSSocket, chain: ShownChain): Promise<ListenerRefusal | undefined> {
    const { anchors, maxIntermediates } = this.#trust;
    const verdict = (await this.#revocation?.(socket)) ?? 'good';
    if (verdict !== 'good') return `certificate_${verdict}`;
    if (maxIntermediates === undefined) return undefined;
    const isDeep = await isTooDeep(rawOf(chain), anchors, maxIntermediates).catch(() => true);
    return isDeep ? 'chain_too_deep' : undefined;
  }

  #whyNot({ authorizationError }: TLSSocket, chain: ShownChain): ListenerRefusal | Promise<ListenerRefusal> {
    if (this.#options.traits.explainsVerification) return refusalFor(authorizationError);
    const { trust } = this.#rules;
    return refusalOf(rawOf(chain), trust, this.#options.clock.nowMs(), checkClientCertificate)
      .then((found): ListenerRefusal => `certificate_${REASONS[found]}`)
      .catch((): ListenerRefusal => 'certificate_untrusted');
  }

  #revocationCheck(): RevocationCheck | undefined {
    const { traits, clock, events } = this.#options;
    if (!this.#passesUnlisted) return traits.checksCrls ? undefined : createRevocationCheck(this.#rules, clock);
    return createRevocationCheck(this.#rules, clock, (socket) =>
      events('revocation.passed', { side: 'listener', peer: subjectOf(socket), why: 'no current list' }),
    );
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

const REASONS = {
  expired: 'expired',
  'not-yet-valid': 'not_yet_valid',
  'wrong-purpose': 'wrong_purpose',
  untrusted: 'untrusted',
} as const;

const subjectOf = (socket: TLSSocket): string => socket.getPeerX509Certificate()?.subject.replaceAll('\n', ',') ?? '';

/** What OpenSSL lets pass. An authority may sign for callers, and is none: it could be everybody. @see https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md#41-basic-constraints */
function refusalOfLeaf(leaf: X509Certificate, pins: readonly string[]): ListenerRefusal | undefined {
  if (leaf.ca) return 'certificate_is_a_ca';
  if (pins.length === 0) return undefined;
  const spki = leaf.publicKey.export({ type: 'spki', format: 'der' });
  return pins.includes(createHash('sha256').update(spki).digest('base64')) ? undefined : 'key_not_pinned';
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
