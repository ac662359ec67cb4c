import type { Clock } from '../../base/clock.ts';
import type { EventSink } from '../../base/events.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { isSameName } from '../../pki/names.ts';
import { isSignedBy } from '../../pki/signature.ts';
import type { PeerChain } from '../dialer.ts';
import { readable } from '../withdrawal.ts';
import type { OcspClient, OcspVerdict } from './ocsp-client.ts';

export interface OcspGuardOptions {
  readonly client: OcspClient;
  /** Whether peers pass of which nobody says anything current. */
  readonly failure: 'closed' | 'open';
  readonly side: 'listener' | 'upstream';
  readonly clock: Clock;
  readonly events: EventSink;
}

/** Who is at the other end of a connection whose handshake went well. */
export interface OcspPeer {
  readonly name: string;
  /** DER, leaf first, the root included where it is known. */
  readonly chain: PeerChain;
  readonly anchors: readonly Certificate[];
  readonly stapled?: Uint8Array | undefined;
}

/** Why a peer may not pass. */
export interface OcspRefusal {
  readonly why: 'revoked' | 'unknown';
  readonly message: string;
}

/** Whether a peer passes; a `refusal` says that it does not. */
export interface OcspAdmission {
  readonly refusal: OcspRefusal | undefined;
  /** When to look at it again. */
  readonly untilMs: number;
}

/** Where nobody says anything, and that lets pass, it is asked again after this. */
const AGAIN_MS = 60_000;
/** An answer that is over already still lets those who were just let in do something. */
const SHORTEST_MS = 1_000;

/** Holds the certificates of peers to what OCSP says of them; authorities above are for revocation lists. */
export class OcspGuard {
  readonly #options: OcspGuardOptions;

  constructor(options: OcspGuardOptions) {
    this.#options = options;
  }

  /** Whether a peer may pass now; never rejects. */
  async admit(peer: OcspPeer): Promise<OcspAdmission> {
    const { failure, side, clock, events } = this.#options;
    const { status, untilMs, error } = await this.#verdictOn(peer).catch(unreadable);
    if (status === 'good') return { refusal: undefined, untilMs };
    if (status === 'revoked') return { refusal: { why: 'revoked', message: REVOKED }, untilMs };
    const message = error?.message ?? 'its OCSP responder does not know the certificate';
    if (failure === 'closed') return { refusal: { why: 'unknown', message }, untilMs };
    events('revocation.passed', { side, peer: peer.name, why: message });
    return { refusal: undefined, untilMs: clock.nowMs() + AGAIN_MS };
  }

  /**
   * Looks at a peer that was admitted again whenever an answer is over.
   *
   * @param onRefused called once; nothing is looked at after
   * @returns stops it
   */
  watch(peer: OcspPeer, untilMs: number, onRefused: (refusal: OcspRefusal) => void): () => void {
    const { clock } = this.#options;
    let isOver = false;
    let cancel = (): void => undefined;
    // what was stapled is over as well
    const again = { ...peer, stapled: undefined };
    const look = async (): Promise<void> => {
      const { refusal, untilMs: nextMs } = await this.admit(again);
      if (isOver) return;
      if (refusal) onRefused(refusal);
      else plan(nextMs);
    };
    const plan = (atMs: number): void => {
      if (atMs === Number.POSITIVE_INFINITY) return;
      cancel = clock.after(Math.max(SHORTEST_MS, atMs - clock.nowMs()), () => void look());
    };
    plan(untilMs);
    return () => {
      isOver = true;
      cancel();
    };
  }

  async #verdictOn({ chain, anchors, stapled }: OcspPeer): Promise<OcspVerdict> {
    const [certificate, ...above] = await readable(chain);
    if (certificate === undefined) return unreadable();
    // trusted as it stands: there is nobody to ask
    if (anchors.some(({ facts }) => facts.sha256 === certificate.facts.sha256)) return ANCHOR;
    const issuer = await issuerOf(certificate, [...above, ...anchors]);
    return issuer ? this.#options.client.ask({ certificate, issuer, stapled }) : unreadable();
  }
}

const REVOKED = 'its authority says by OCSP that the certificate was revoked';
const ANCHOR: OcspVerdict = { status: 'good', untilMs: Number.POSITIVE_INFINITY };

const unreadable = (): OcspVerdict => ({
  status: 'unknown',
  untilMs: 0,
  error: new GatewayError('ocsp_unavailable', 'the certificate that signed it is not known, so nobody can be asked'),
});

/** Who signed a certificate, of those that are known; undefined for none. */
export async function issuerOf(
  certificate: Certificate,
  known: readonly Certificate[],
): Promise<Certificate | undefined> {
  for (const one of known)
    if (isSameName(one.facts.subject, certificate.facts.issuer) && (await isSignedBy(certificate, one))) return one;
  return undefined;
}
