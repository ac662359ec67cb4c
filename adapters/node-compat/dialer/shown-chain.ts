import type { X509Certificate } from 'node:crypto';
import type { PeerChain } from '../../../src/index.ts';

/** OpenSSL's limit. */
const MAX_CERTIFICATES = 100;

/**
 * What a server showed in a full handshake, from the leaf upwards; of several ways up one.
 *
 * @param leaf asked of the socket once: Node 22 and 24 tell it one time only
 */
export function shownChain(leaf: X509Certificate | undefined): PeerChain {
  const chain: Uint8Array[] = [];
  for (let next = leaf; next && chain.length < MAX_CERTIFICATES;) {
    chain.push(next.raw);
    // a self-signed certificate names itself as its issuer
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}
