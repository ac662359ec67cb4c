import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { checkClientCertificate, isTooDeep, refusalOf } from '../../../src/index.ts';
import type { Clock, ListenerRefusal, OcspGuard, OcspPeer, OcspRefusal, PeerRules } from '../../../src/index.ts';
import type { RevocationCheck } from '../dialer/revocation-check.ts';
import { fullestChain, nameOf, rawOf } from '../dialer/shown-chain.ts';
import type { ShownChain } from '../dialer/shown-chain.ts';
import type { TlsTraits } from '../runtime.ts';
import type { CallerTrust } from './caller-trust.ts';
import { refusalFor } from './refusals.ts';

/** What a caller is held to once its handshake is over. */
export interface AdmissionRules {
  readonly trust: CallerTrust;
  readonly rules: PeerRules;
  /** What the handshake itself leaves out. */
  readonly revocation: RevocationCheck | undefined;
  readonly ocsp: OcspGuard | undefined;
  readonly traits: TlsTraits;
  readonly clock: Clock;
}

/** A caller that may be served, and until when OCSP says so. */
export interface Admitted {
  readonly refusal?: undefined;
  readonly asked?: { readonly peer: OcspPeer; readonly untilMs: number };
}

/** Whether a caller may be served. */
export type CallerVerdict = Admitted | { readonly refusal: ListenerRefusal };

/** In characters. */
const MAX_SUBJECT_LENGTH = 1024;

const ADMITTED: Admitted = {};

/**
 * Judges a caller by what it showed in its handshake: Node lets in whoever has a wrong certificate, or none. A promise
 * where there is something to compute or to ask.
 */
export function judgeCaller(
  socket: TLSSocket,
  chain: ShownChain,
  held: AdmissionRules,
): CallerVerdict | Promise<CallerVerdict> {
  const [leaf] = chain;
  if (leaf === undefined) return held.trust.isRequired ? { refusal: 'certificate_missing' } : ADMITTED;
  // OpenSSL lets it pass, and whoever has its key could be everybody
  if (leaf.ca) return { refusal: 'certificate_is_a_ca' };
  if (!socket.authorized) return notAuthorized(socket, chain, held);
  if (!isPinned(leaf, held.rules.pins)) return { refusal: 'key_not_pinned' };
  if (held.revocation === undefined && held.trust.maxIntermediates === undefined && held.ocsp === undefined)
    return ADMITTED;
  // before anything is awaited: a socket that was closed tells nothing
  const peer = { name: subjectOf(leaf), chain: fullestChain(socket, rawOf(chain)), anchors: held.trust.anchors };
  return looked(socket, chain, peer, held);
}

/** What takes time to find out. */
async function looked(
  socket: TLSSocket,
  chain: ShownChain,
  peer: OcspPeer,
  { trust: { anchors, maxIntermediates }, revocation, ocsp }: AdmissionRules,
): Promise<CallerVerdict> {
  const verdict = (await revocation?.(socket, rawOf(chain))) ?? 'good';
  if (verdict !== 'good') return { refusal: `certificate_${verdict}` };
  if (maxIntermediates !== undefined && (await isTooDeep(rawOf(chain), anchors, maxIntermediates).catch(() => true)))
    return { refusal: 'chain_too_deep' };
  if (ocsp === undefined) return ADMITTED;
  const { refusal, untilMs } = await ocsp.admit(peer);
  return refusal ? { refusal: OF_OCSP[refusal.why] } : { asked: { peer, untilMs } };
}

const OF_OCSP: Readonly<Record<OcspRefusal['why'], ListenerRefusal>> = {
  revoked: 'certificate_revoked',
  unknown: 'certificate_unlisted',
};

async function explained(chain: ShownChain, { rules, clock }: AdmissionRules): Promise<ListenerRefusal> {
  const found = await refusalOf(rawOf(chain), rules.trust, clock.nowMs(), checkClientCertificate);
  return `certificate_${REASONS[found]}`;
}

const REASONS = {
  expired: 'expired',
  'not-yet-valid': 'not_yet_valid',
  'wrong-purpose': 'wrong_purpose',
  untrusted: 'untrusted',
} as const;

function notAuthorized({ authorizationError }: TLSSocket, chain: ShownChain, held: AdmissionRules) {
  if (held.traits.explainsVerification) return { refusal: refusalFor(authorizationError) };
  return explained(chain, held)
    .catch((): ListenerRefusal => 'certificate_untrusted')
    .then((refusal): CallerVerdict => ({ refusal }));
}

function isPinned({ publicKey }: X509Certificate, pins: readonly string[]): boolean {
  if (pins.length === 0) return true;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return pins.includes(createHash('sha256').update(spki).digest('base64'));
}

/** The distinguished name as RFC 4514 has it, of what may be anybody's. */
export const subjectOf = ({ subject }: X509Certificate): string => nameOf(subject).slice(0, MAX_SUBJECT_LENGTH);
