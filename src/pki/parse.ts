import { toBase64, toHex } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import type { PublicKey, X509Certificate } from '@peculiar/x509';
import type { Certificate } from './certificate.ts';
import { readExtensions, type CertificateExtensions } from './extensions.ts';
import { distinguishedName, isSameName } from './names.ts';
import { derOfPem, splitPem, toPem } from './pem.ts';
import { loadX509 } from './x509.ts';

/** The field a certificate came from, as the error code its reader should see. */
export type CertificateErrorCode = 'certificate_unreadable' | 'ca_unreadable';

/**
 * All certificates of a PEM text, in order; blocks of other kinds (a key beside its certificate) are passed over.
 * Checks no date, purpose, signature or chain.
 *
 * @throws GatewayError `code` when there is no certificate, or one that cannot be read.
 */
export async function parseCertificates(pem: string, code: CertificateErrorCode): Promise<readonly Certificate[]> {
  const blocks = splitPem(pem, code);
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE');
  if (certificates.length === 0)
    throw blocks.length === 0 ? notPem(code) : noCertificate(code, [...new Set(blocks.map(({ label }) => label))]);
  return Promise.all(
    certificates.map(async (block, index) => {
      try {
        return await parseDerCertificate(derOfPem(block.pem));
      } catch {
        // Without the parser's error: it may quote what it met, and that may be a key pasted in the wrong place.
        throw new GatewayError(
          code,
          `certificate ${index + 1} of ${certificates.length} is PEM, but what it holds is not an X.509 certificate`,
          { hint: 'take the certificate from its issuer again' },
        );
      }
    }),
  );
}

/** A certificate from its DER, as a handshake presents it. @throws Error when the bytes are not one certificate. */
export async function parseDerCertificate(der: Uint8Array): Promise<Certificate> {
  const { X509Certificate } = await loadX509();
  const bytes = new Uint8Array(der);
  return describe(new X509Certificate(bytes), bytes);
}

async function describe(parsed: X509Certificate, der: Uint8Array<ArrayBuffer>): Promise<Certificate> {
  const extensions = readExtensions(der);
  const publicKey = new Uint8Array(parsed.publicKey.rawData);
  const subject = distinguishedName(parsed.subjectName);
  const issuer = distinguishedName(parsed.issuerName);
  const [certificateDigest, keyDigest] = await Promise.all([
    crypto.subtle.digest('SHA-256', der),
    crypto.subtle.digest('SHA-256', publicKey),
  ]);
  return Object.freeze({
    pem: toPem('CERTIFICATE', der),
    der,
    publicKey,
    extendedKeyUsages: extensions.extendedKeyUsages,
    facts: Object.freeze({
      subject,
      issuer,
      serialNumber: parsed.serialNumber,
      notBefore: parsed.notBefore.toISOString(),
      notAfter: parsed.notAfter.toISOString(),
      dnsNames: extensions.dnsNames,
      ipAddresses: extensions.ipAddresses,
      emails: extensions.emails,
      uris: extensions.uris,
      keyType: keyTypeText(parsed.publicKey),
      isCa: isCa(extensions, isSameName(subject, issuer)),
      sha256: toHex(new Uint8Array(certificateDigest)),
      spkiPin: toBase64(new Uint8Array(keyDigest)),
    }),
  });
}

/** As TLS libraries judge it: version 1 roots have no extensions and are authorities by being self-issued. */
function isCa(extensions: CertificateExtensions, selfIssued: boolean): boolean {
  if (extensions.count === 0) return selfIssued;
  return extensions.basicConstraintsCa === true && extensions.maySignCertificates;
}

function keyTypeText({ algorithm }: PublicKey): string {
  if ('modulusLength' in algorithm) return `RSA ${String(algorithm.modulusLength)}`;
  if ('namedCurve' in algorithm && algorithm.name === 'ECDSA') return `EC ${String(algorithm.namedCurve)}`;
  return algorithm.name;
}

function notPem(code: CertificateErrorCode): GatewayError {
  return new GatewayError(code, 'expected PEM, but there is no BEGIN line in it', {
    hint: 'give the text of a PEM file; a DER file (.der, .cer, .p12) has to be converted to PEM first',
  });
}

function noCertificate(code: CertificateErrorCode, labels: readonly string[]): GatewayError {
  return new GatewayError(code, `expected a CERTIFICATE block, met only ${labels.join(', ')}`, {
    hint: 'is the key in the place of the certificate?',
    details: { labels },
  });
}
