import { checkServerCertificate } from '../pki/checks.ts';
import { verifyChain } from '../pki/verify-chain.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { TrustBundle } from './profile.ts';
import { anchorsOf, readable } from './withdrawal.ts';

/** Why a verification refused a peer; `untrusted` also where nothing else is found. */
export type ServerRefusal = 'expired' | 'not-yet-valid' | 'wrong-purpose' | 'untrusted';

/**
 * For runtimes whose verification fails without saying why: what is wrong with the chain of a peer it refused. An answer
 * for people; it lets nobody in.
 *
 * @param chain DER, leaf first, as the peer sent it
 * @param checkPurpose throws where a certificate is for something else; that of servers by default
 */
export async function refusalOf(
  chain: readonly Uint8Array[],
  trust: TrustBundle,
  nowMs: number,
  checkPurpose: typeof checkServerCertificate = checkServerCertificate,
): Promise<ServerRefusal> {
  const presented = await readable(chain);
  const rules = { anchors: anchorsOf(trust), openEnd: trust.mode !== 'only', crls: [], nowMs };
  const verdict = await verifyChain(presented, rules);
  if (verdict === 'expired') return presented.some((one) => isEarly(one, nowMs)) ? 'not-yet-valid' : 'expired';
  const [leaf] = presented;
  return verdict === 'valid' && leaf && !isFor(checkPurpose, leaf, nowMs) ? 'wrong-purpose' : 'untrusted';
}

const isEarly = ({ facts }: Certificate, nowMs: number): boolean => nowMs < Date.parse(facts.notBefore);

function isFor(checkPurpose: typeof checkServerCertificate, leaf: Certificate, nowMs: number): boolean {
  try {
    checkPurpose(leaf, nowMs);
    return true;
  } catch {
    return false;
  }
}
