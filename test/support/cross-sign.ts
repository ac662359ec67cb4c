import { toPem } from '../../src/pki/pem.ts';
import { keyIdentifierOf, signingKeyOf } from '../../src/pki/issue.ts';
import { signingParametersOf } from '../../src/pki/keys.ts';
import { loadX509 } from '../../src/pki/x509.ts';
import { Secret } from '../../src/base/secret.ts';
import type { MintedCa } from './pki.ts';

/**
 * A certificate by `issuer` for the name and key of another authority, as PEM; valid as long as that one's own.
 *
 * @param use what the key is good for; `anything` says nothing of it
 */
export async function crossSign(
  issuer: MintedCa,
  subject: MintedCa,
  use: 'signing' | 'anything' = 'signing',
): Promise<string> {
  const x509 = await loadX509();
  const parsed = new x509.X509Certificate(new Uint8Array(subject.certificate.der));
  const authority = { certificate: issuer.certificate, privateKey: new Secret(issuer.keyPem) };
  const created = await x509.X509CertificateGenerator.create({
    subject: parsed.subjectName,
    issuer: new x509.X509Certificate(new Uint8Array(issuer.certificate.der)).subjectName,
    notBefore: parsed.notBefore,
    notAfter: parsed.notAfter,
    publicKey: parsed.publicKey,
    signingKey: await signingKeyOf(authority),
    signingAlgorithm: signingParametersOf(issuer.certificate.facts.keyType),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      ...(use === 'anything'
        ? []
        : [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)]),
      await x509.SubjectKeyIdentifierExtension.create(parsed.publicKey),
      new x509.AuthorityKeyIdentifierExtension(await keyIdentifierOf(x509, issuer.certificate)),
    ],
  });
  return toPem('CERTIFICATE', new Uint8Array(created.rawData));
}
