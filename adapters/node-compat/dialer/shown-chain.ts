import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { equalBytes } from '../../../src/index.ts';
import type { Certificate, PeerChain } from '../../../src/index.ts';

/** The certificates a peer showed, leaf first. */
export type ShownChain = readonly X509Certificate[];

/** OpenSSL's limit. */
const MAX_CERTIFICATES = 100;

/**
 * What a peer showed in a full handshake, from the leaf upwards; of several ways up one.
 *
 * @param leaf asked of the socket once: Node 22 and 24 tell it one time only
 */
export function shownChain(leaf: X509Certificate | undefined): ShownChain {
  const chain: X509Certificate[] = [];
  for (let next = leaf; next && chain.length < MAX_CERTIFICATES;) {
    chain.push(next);
    // a self-signed certificate names itself as its issuer
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

/**
 * A chain without the anchors a runtime may have added to it: those a peer sent as well go with them, so that in doubt
 * a chain leads to less than it could.
 */
export function withoutAnchors(chain: ShownChain, anchors: readonly Certificate[]): ShownChain {
  return chain.filter(({ raw }, index) => index === 0 || !anchors.some(({ der }) => equalBytes(der, raw)));
}

/** A chain as DER. */
export const rawOf = (chain: ShownChain): PeerChain => chain.map(({ raw }) => raw);

/** What a peer showed, and the root it led to where the runtime tells that. */
export function completedChain(socket: TLSSocket): PeerChain {
  const chain: Uint8Array[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // without a certificate it is an empty object
  while (next?.raw && chain.length < MAX_CERTIFICATES) {
    chain.push(next.raw);
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

/** The same, or what it was told before: Node 22 and 24 tell a chain one time only. */
export function fullestChain(socket: TLSSocket, shown: PeerChain): PeerChain {
  const completed = completedChain(socket);
  return completed.length > shown.length ? completed : shown;
}

/** A distinguished name as RFC 4514 writes it, of one a line, its least specific part first. */
export const nameOf = (lines: string): string => lines.split('\n').toReversed().join(',');
