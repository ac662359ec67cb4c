import type { PeerChain } from '../tls/dialer.ts';

/** A certificate the platform looked at, and holds back: what it says. */
export interface VerifiedCertificate {
  /** The distinguished name, as RFC 4514 writes it. */
  readonly subject: string;
  /** The distinguished name of the issuer. */
  readonly issuer: string;
  /** Of the certificate, lower-case hex. */
  readonly sha256: string;
  /** Milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
}

/** What the listener knows of a connection; one object for all requests that come over it. */
export interface CallerConnection {
  /** The peer's IP address; undefined where it has none. */
  readonly address: string | undefined;
  /** What the peer showed and the listener verified; empty where it showed no certificate. */
  readonly chain: PeerChain;
  /** Instead of a chain, where a platform verifies and tells no more than this. */
  readonly verified?: VerifiedCertificate | undefined;
}

/** Whether the peer showed a certificate that was verified. */
export const showsCertificate = ({ chain, verified }: CallerConnection): boolean =>
  chain.length > 0 || verified !== undefined;

/** What a request says of its caller. */
export interface Credentials {
  readonly headers: Pick<Headers, 'get'>;
  /** Absent where nobody knows: then no certificate was shown, and no header of a proxy is believed. */
  readonly connection?: CallerConnection | undefined;
  /** Where the request is sent to; asked for tokens that are for one resource only, since some listeners make it up then. */
  readonly target?: { readonly url: string };
}
