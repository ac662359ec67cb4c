import type { Extension, JsonGeneralNames, KeyUsageFlags, Name } from '@peculiar/x509';
import { GatewayError } from '../base/errors.ts';
import { toHex } from '../base/bytes.ts';
import type { Secret } from '../base/secret.ts';
import type { Certificate } from './certificate.ts';
import { readExtensions } from './extensions.ts';
import {
  exportPrivateKey,
  generateKeyPair,
  importSigningKey,
  KEY_TYPES,
  signingParametersOf,
  type KeyType,
} from './keys.ts';
import { parseDerCertificate } from './parse.ts';
import { isSignedBy } from './signature.ts';
import { loadX509, type X509 } from './x509.ts';

/** A certificate and its private key (PKCS#8 PEM); with a CA certificate, an authority that can issue. */
export interface IssuedCertificate {
  readonly certificate: Certificate;
  readonly privateKey: Secret;
}

/** A subject of a few usual parts; at least one of them. */
export interface SubjectName {
  readonly commonName?: string;
  readonly organization?: string;
  readonly organizationalUnit?: string;
}

/** What a certificate vouches for: a server, a client, both, or neither (no extended key usage at all). */
export type CertificatePurpose = 'server' | 'client' | 'both' | 'none';

interface CommonRequest {
  readonly subject: SubjectName;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly keyType: KeyType;
}

/** What a new authority is to be. */
export interface AuthorityRequest extends CommonRequest {
  /** How many further authorities may stand below this one; no limit by default. */
  readonly pathLength?: number;
}

/** What a new end certificate is to be; a server is found by its names, not by its subject. */
export interface CertificateRequest extends CommonRequest {
  readonly purpose: CertificatePurpose;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly emails?: readonly string[];
  readonly uris?: readonly string[];
}

/**
 * A new certificate authority with its own key: a root, or below `parent` an intermediate.
 *
 * @throws GatewayError key_unreadable, key_mismatch when `parent` is not whole.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1
 */
export async function createAuthority(
  request: AuthorityRequest,
  parent?: IssuedCertificate,
): Promise<IssuedCertificate> {
  return issue(request, parent, ({ BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags }) => [
    new BasicConstraintsExtension(true, request.pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ]);
}

/**
 * A new end certificate with its own key, issued by `authority`.
 *
 * @throws GatewayError key_unreadable, key_mismatch when `authority` is not whole.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1
 */
export async function issueCertificate(
  authority: IssuedCertificate,
  request: CertificateRequest,
): Promise<IssuedCertificate> {
  return issue(request, authority, (x509) => [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(keyUsages(x509, request.keyType), true),
    ...extendedKeyUsage(x509, request.purpose),
    ...subjectAltName(x509, request),
  ]);
}

async function issue(
  request: CommonRequest,
  parent: IssuedCertificate | undefined,
  describe: (x509: X509) => Extension[],
): Promise<IssuedCertificate> {
  const x509 = await loadX509();
  const keys = await generateKeyPair(request.keyType);
  const subject = nameOf(x509, request.subject);
  const ownKeyIdentifier = await x509.SubjectKeyIdentifierExtension.create(keys.publicKey);
  const created = await x509.X509CertificateGenerator.create({
    subject,
    issuer: parent ? new x509.X509Certificate(new Uint8Array(parent.certificate.der)).subjectName : subject,
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    publicKey: keys.publicKey,
    signingKey: parent ? await signingKeyOf(parent) : keys.privateKey,
    signingAlgorithm: signingParametersOf(parent?.certificate.facts.keyType ?? KEY_TYPES[request.keyType].text),
    extensions: [
      ...describe(x509),
      ownKeyIdentifier,
      new x509.AuthorityKeyIdentifierExtension(
        parent ? await keyIdentifierOf(x509, parent.certificate) : ownKeyIdentifier.keyId,
      ),
    ],
  });
  const certificate = await parseDerCertificate(new Uint8Array(created.rawData));
  if (parent && !(await isSignedBy(certificate, parent.certificate)))
    throw new GatewayError('key_mismatch', `the CA key does not belong to ${parent.certificate.facts.subject}`);
  return { certificate, privateKey: await exportPrivateKey(keys.privateKey) };
}

/** The key an authority signs with. @throws GatewayError key_unreadable. */
export async function signingKeyOf({ certificate, privateKey }: IssuedCertificate): Promise<CryptoKey> {
  return importSigningKey(privateKey, certificate.facts.keyType);
}

/** The identifier an authority gave its key, in hex: what certificates and lists it signs must repeat. */
export async function keyIdentifierOf(x509: X509, authority: Certificate): Promise<string> {
  const own = readExtensions(new Uint8Array(authority.der)).subjectKeyIdentifier;
  return own
    ? toHex(own)
    : (await x509.SubjectKeyIdentifierExtension.create(new Uint8Array(authority.publicKey))).keyId;
}

function nameOf(x509: X509, subject: SubjectName): Name {
  // As objects, so that commas, quotes and `#` in a name stay what they are.
  const part = (type: string, value: string | undefined) => (value ? [{ [type]: [{ utf8String: value }] }] : []);
  return new x509.Name([
    ...part('O', subject.organization),
    ...part('OU', subject.organizationalUnit),
    ...part('CN', subject.commonName),
  ]);
}

function keyUsages({ KeyUsageFlags }: X509, keyType: KeyType): KeyUsageFlags {
  // RSA key transport, which TLS 1.2 still allows, encrypts; the other kinds only ever sign.
  if (KEY_TYPES[keyType].isRsa) return KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment;
  return KeyUsageFlags.digitalSignature;
}

function extendedKeyUsage(x509: X509, purpose: CertificatePurpose): Extension[] {
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const usages = { server: [serverAuth], client: [clientAuth], both: [serverAuth, clientAuth], none: [] }[purpose];
  return usages.length > 0 ? [new x509.ExtendedKeyUsageExtension(usages)] : [];
}

function subjectAltName(x509: X509, request: CertificateRequest): Extension[] {
  const names: JsonGeneralNames = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(request.emails ?? []).map((value) => ({ type: 'email' as const, value })),
    ...(request.uris ?? []).map((value) => ({ type: 'url' as const, value })),
  ];
  return names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [];
}
