import type { VerifiedCertificate } from '../../src/index.ts';

/** What the platform tells of a certificate a caller showed it; all of it texts. */
interface TlsClientAuth {
  readonly certPresented?: unknown;
  readonly certVerified?: unknown;
  readonly certRevoked?: unknown;
  readonly certSubjectDNRFC2253?: unknown;
  readonly certIssuerDNRFC2253?: unknown;
  readonly certFingerprintSHA256?: unknown;
  readonly certNotAfter?: unknown;
}

/**
 * The certificate of the caller, where the platform verified one against the client CAs of the zone; undefined where it
 * found anything wrong with it.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties
 */
export function certificateOf(request: Request): VerifiedCertificate | undefined {
  const { cf } = request as { readonly cf?: { readonly tlsClientAuth?: TlsClientAuth | null } };
  const { certPresented, certVerified, certRevoked, ...told } = cf?.tlsClientAuth ?? {};
  if (certPresented !== '1' || certVerified !== 'SUCCESS' || certRevoked !== '0') return undefined;
  const { certSubjectDNRFC2253: subject, certIssuerDNRFC2253: issuer } = told;
  const { certFingerprintSHA256: fingerprint, certNotAfter: notAfter } = told;
  if (typeof subject !== 'string' || typeof issuer !== 'string') return undefined;
  if (typeof fingerprint !== 'string' || typeof notAfter !== 'string') return undefined;
  const notAfterMs = Date.parse(notAfter);
  return Number.isNaN(notAfterMs) ? undefined : { subject, issuer, sha256: fingerprint.toLowerCase(), notAfterMs };
}
