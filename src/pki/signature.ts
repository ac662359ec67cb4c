import { loadX509 } from './x509.ts';
import type { Certificate } from './certificate.ts';

/**
 * Whether `issuer`'s key signed `certificate`; looks at no names and dates. A signature of a kind WebCrypto does not
 * know counts as not verified.
 */
export async function isSignedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  const { PublicKey, X509Certificate } = await loadX509();
  const parsed = new X509Certificate(new Uint8Array(certificate.der));
  try {
    return await parsed.verify({ publicKey: new PublicKey(new Uint8Array(issuer.publicKey)), signatureOnly: true });
  } catch {
    return false;
  }
}
