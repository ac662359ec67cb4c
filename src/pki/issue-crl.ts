import { toPem } from './pem.ts';
import { keyIdentifierOf, signingKeyOf, type IssuedCertificate } from './issue.ts';
import { signingParametersOf } from './keys.ts';
import { loadX509 } from './x509.ts';

const CRL_NUMBER = '2.5.29.20';

/** What a revocation list is to say. */
export interface CrlRequest {
  /** Hexadecimal, as `CertificateFacts.serialNumber`. */
  readonly revokedSerialNumbers: readonly string[];
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

/**
 * A revocation list signed by `authority`, as PEM. Its number is `thisUpdate` in milliseconds, so later lists have
 * greater numbers.
 *
 * @throws GatewayError key_unreadable when `authority` is not whole.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-5
 */
export async function issueCrl(authority: IssuedCertificate, request: CrlRequest): Promise<string> {
  const x509 = await loadX509();
  const { certificate } = authority;
  const crl = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(new Uint8Array(certificate.der)).subjectName,
    thisUpdate: request.thisUpdate,
    nextUpdate: request.nextUpdate,
    entries: request.revokedSerialNumbers.map((serialNumber) => ({
      serialNumber,
      revocationDate: request.thisUpdate,
      // without any, the library writes an empty list of extensions, which BoringSSL rightly does not read
      invalidity: wholeSeconds(request.thisUpdate),
    })),
    extensions: [
      new x509.AuthorityKeyIdentifierExtension(await keyIdentifierOf(x509, certificate)),
      new x509.Extension(CRL_NUMBER, false, derInteger(request.thisUpdate.getTime())),
    ],
    signingAlgorithm: signingParametersOf(certificate.facts.keyType),
    signingKey: await signingKeyOf(authority),
  });
  return toPem('X509 CRL', new Uint8Array(crl.rawData));
}

/** Fractions of seconds are forbidden in it. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5.2 */
const wholeSeconds = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000);

/** A positive DER INTEGER, without the leading zeros DER forbids. */
function derInteger(value: number): Uint8Array<ArrayBuffer> {
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  if ((octets[0] ?? 0) >= 0x80) octets.unshift(0);
  return Uint8Array.of(0x02, octets.length, ...octets);
}
