import { openLists } from '../pki/revocation.ts';
import { verifyChain } from '../pki/verify-chain.ts';
import type { TrustBundle } from './profile.ts';
import { anchorsOf, readable } from './withdrawal.ts';

/** Whether a peer is accepted: it or an authority above it was revoked, or the lists do not say so of everybody. */
export type RevocationVerdict = 'good' | 'revoked' | 'unlisted';

/**
 * For runtimes whose handshakes look at no revocation lists: judges chains such a handshake has accepted, as OpenSSL
 * does with CRL_CHECK_ALL. Everybody below an anchor needs a current list of his issuer; in doubt nobody is accepted.
 * Under trust in the default set the chain has to hold the root it led to, which is not known here otherwise.
 *
 * @param crls one PEM each
 * @throws GatewayError crl_unreadable
 */
export async function revocationJudge(
  trust: TrustBundle,
  crls: readonly string[],
): Promise<(chain: readonly Uint8Array[], nowMs: number) => Promise<RevocationVerdict>> {
  const lists = await openLists(crls);
  return async (chain, nowMs) => {
    const verdict = await verifyChain(await readable(chain), {
      anchors: anchorsOf(trust),
      openEnd: trust.mode !== 'only',
      crls: lists,
      needsLists: true,
      nowMs,
    });
    if (verdict === 'valid') return 'good';
    return verdict === 'revoked' ? 'revoked' : 'unlisted';
  };
}
