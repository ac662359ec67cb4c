import { anchorsAbove } from '../pki/verify-chain.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { PeerChain } from './dialer.ts';
import { readable } from './withdrawal.ts';

/**
 * Whether more than `maxIntermediates` certificates stand between a caller's and each of these authorities, also where
 * that cannot be told.
 *
 * @param chain DER, leaf first
 */
export async function isTooDeep(
  chain: PeerChain,
  anchors: readonly Certificate[],
  maxIntermediates: number,
): Promise<boolean> {
  const [nearest] = await anchorsAbove(await readable(chain), anchors);
  return nearest === undefined || nearest.intermediates > maxIntermediates;
}
