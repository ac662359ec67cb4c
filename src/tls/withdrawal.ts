import type { Certificate } from '../pki/certificate.ts';
import { parseDerCertificate } from '../pki/parse.ts';
import { openLists } from '../pki/revocation.ts';
import { namedAnchors, verifyChain } from '../pki/verify-chain.ts';
import type { TrustBundle } from './profile.ts';

/** What a peer is held to. A TlsProfile is one. */
export interface PeerRules {
  readonly trust: TrustBundle;
  /** One PEM each. */
  readonly crls: readonly string[];
  /** SHA-256 of the peer's SubjectPublicKeyInfo, base64; none means any key. */
  readonly pins: readonly string[];
  /** False where the peer's chain is not looked at; pins count all the same. */
  readonly verify: boolean;
}

/** Why a peer that was accepted is not acceptable any more. */
export type Withdrawal = 'trust' | 'revoked' | 'pin' | 'expired';

/**
 * Tells of chains why a peer that was accepted under `before` is not acceptable under `after`; undefined while it is. The
 * runtime's default set of anchors is not known here: a chain that led to it goes on leading to it, one that led to an
 * anchor of ours needs an anchor of ours. Says nothing about host names. In doubt (a chain that cannot be read, rules
 * that begin to verify with the default set) the peer is not acceptable: a new handshake decides.
 *
 * @returns takes a chain as the peer sent it: DER, leaf first
 * @throws GatewayError crl_unreadable
 */
export async function withdrawalJudge(
  before: PeerRules,
  after: PeerRules,
  nowMs: number,
): Promise<(chain: readonly Uint8Array[]) => Promise<Withdrawal | undefined>> {
  const crls = await openLists(after.crls);
  return async (chain) => {
    if (!after.verify && after.pins.length === 0) return undefined;
    const presented = await readable(chain);
    const [leaf] = presented;
    if (leaf === undefined) return 'trust';
    if (after.pins.length > 0 && !after.pins.includes(leaf.facts.spkiPin)) return 'pin';
    if (!after.verify) return undefined;
    const verdict = await verifyChain(presented, {
      anchors: anchorsOf(after.trust),
      openEnd: before.verify && keepsTrust(presented, before.trust, after.trust),
      crls,
      nowMs,
    });
    if (verdict === 'valid') return undefined;
    // lists are not needed here, so none can be missed
    return verdict === 'untrusted' || verdict === 'unlisted' ? 'trust' : verdict;
  };
}

/** Whether what a chain led to under `before` is trusted under `after` as well; anchors of ours come first. */
function keepsTrust(presented: readonly Certificate[], before: TrustBundle, after: TrustBundle): boolean {
  const trusted = new Set(anchorsOf(after).map(({ facts }) => facts.sha256));
  const ledTo = namedAnchors(presented, anchorsOf(before));
  if (ledTo.some(({ facts }) => !trusted.has(facts.sha256))) return false;
  return before.mode === 'only' ? ledTo.length > 0 : after.mode !== 'only';
}

/** Those that are known here: the default set is not. */
export function anchorsOf(trust: TrustBundle): readonly Certificate[] {
  return trust.mode === 'system' ? [] : trust.anchors;
}

/** The certificates of a chain up to the first that cannot be read. */
export async function readable(chain: readonly Uint8Array[]): Promise<readonly Certificate[]> {
  const certificates: Certificate[] = [];
  for (const der of chain) {
    const certificate = await parseDerCertificate(der).catch(() => undefined);
    if (certificate === undefined) break;
    certificates.push(certificate);
  }
  return certificates;
}
