/**
 * pki: parses and issues certificates on WebCrypto, in any runtime.
 *
 * Owns PEM splitting, certificate facts, chains, expiry, CRL reading and issuing. Must not know upstreams, records,
 * files or sockets.
 */

/** What people and reports need of a certificate; plain data, safe to show. */
export interface CertificateFacts {
  /** RFC 4514 distinguished names. */
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal, as issued. */
  readonly serialNumber: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
  /** `RSA 4096`, `EC P-256`, `Ed25519`. */
  readonly keyType: string;
  readonly isCa: boolean;
  /** SHA-256 of the DER certificate, lower-case hex. */
  readonly sha256: string;
  /** SHA-256 of the SubjectPublicKeyInfo, base64: the form pins take. */
  readonly spkiPin: string;
}

/** A parsed certificate. */
export interface Certificate {
  readonly pem: string;
  readonly der: Uint8Array;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** Extended key usage OIDs; undefined when the certificate does not restrict them. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly facts: CertificateFacts;
}
