import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { revocationJudge } from '../../../src/index.ts';
import type { Clock, GatewayError, PeerChain, PeerRules, RevocationVerdict } from '../../../src/index.ts';
import { notVerified } from '../channel/classify.ts';
import { fullestChain } from './shown-chain.ts';

/** What revocation lists say of a peer whose certificate was accepted, and which showed this; never rejects. */
export type RevocationCheck = (secure: TLSSocket, shown: PeerChain) => Promise<RevocationVerdict>;

/**
 * Looks a peer up in the lists it is held to, right after a handshake that did not; undefined where there is nothing to
 * look up.
 *
 * @param onUnlisted where given, peers pass of which the lists do not say enough, and it is told
 */
export function createRevocationCheck(
  { trust, crls, verify }: PeerRules,
  clock: Clock,
  onUnlisted?: (secure: TLSSocket) => void,
): RevocationCheck | undefined {
  if (!verify || crls.length === 0) return undefined;
  let judge: ReturnType<typeof revocationJudge> | undefined;
  let defaults: readonly X509Certificate[] | undefined;

  const chainOf = (secure: TLSSocket, shown: PeerChain): PeerChain => {
    const chain = fullestChain(secure, shown);
    if (trust.mode === 'only') return chain;
    defaults ??= getCACertificates('default').map((pem) => new X509Certificate(pem));
    return withRoot(chain, defaults);
  };
  const verdictOn = async (secure: TLSSocket, shown: PeerChain): Promise<RevocationVerdict> => {
    // before anything is awaited: a socket that was closed tells no chain
    const chain = chainOf(secure, shown);
    return (await (judge ??= revocationJudge(trust, crls)))(chain, clock.nowMs());
  };
  return async (secure, shown) => {
    const verdict = await verdictOn(secure, shown).catch(() => 'unlisted' as const);
    if (verdict !== 'unlisted' || onUnlisted === undefined) return verdict;
    onUnlisted(secure);
    return 'good';
  };
}

/** Codes of OpenSSL, so that a refusal reads the same wherever it was found. */
const REASONS = { revoked: 'CERT_REVOKED', unlisted: 'UNABLE_TO_GET_CRL' } as const;

/** Why a server is refused for what revocation lists say of it. */
export function revocationRefusal(verdict: RevocationVerdict): GatewayError | undefined {
  return verdict === 'good' ? undefined : notVerified(REASONS[verdict]);
}

/** A chain with the root above its end, of those a runtime trusts by default but does not tell. */
function withRoot(chain: PeerChain, roots: readonly X509Certificate[]): PeerChain {
  const last = chain.at(-1);
  if (last === undefined) return chain;
  const top = new X509Certificate(last);
  const root = roots.find((one) => top.checkIssued(one) && top.verify(one.publicKey));
  return root && !root.raw.equals(last) ? [...chain, root.raw] : chain;
}
