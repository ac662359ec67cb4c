import type { CertificateFacts } from '../../pki/certificate.ts';

/** What a proxy says of the caller of one request. */
export interface Assertion {
  /** Absent where the certificate alone names the caller. */
  readonly subject?: string;
  /** DER of the certificate the caller showed, where the proxy hands it on. */
  readonly certificate?: Uint8Array | undefined;
  /** Whether the certificate says the same. */
  readonly agrees?: (facts: CertificateFacts) => boolean;
  /** SHA-256 of the certificate, lower-case hex, where the proxy tells it. */
  readonly sha256?: string | undefined;
  /** RFC 4514, where the proxy tells it. */
  readonly distinguishedName?: string | undefined;
  readonly organisation?: string | undefined;
}

/** How proxies say who calls. */
export interface HeaderStyle {
  /** Every header that has a say. */
  readonly reads: readonly string[];
  /**
   * Undefined where the proxy says nothing of a caller.
   *
   * @param get the value of one of `reads`; undefined where it was not sent
   * @throws GatewayError unauthenticated where what it says cannot be believed
   */
  readonly read: (get: (header: string) => string | undefined) => Assertion | undefined;
}
