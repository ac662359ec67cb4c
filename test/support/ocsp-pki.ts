/** Certificates that name an OCSP responder, and the answers such a responder signs. */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { Extension } from '@peculiar/x509';
import { Secret } from '../../src/base/secret.ts';
import { DER, readDer, readOneDer } from '../../src/pki/der.ts';
import { writeDer } from '../../src/pki/der-write.ts';
import { fieldsOf, keyBitsOf } from '../../src/pki/certificate-fields.ts';
import { keyIdentifierOf, signingKeyOf } from '../../src/pki/issue.ts';
import { signingParametersOf } from '../../src/pki/keys.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { certificateIdOf, digest } from '../../src/pki/ocsp-request.ts';
import { parseDerCertificate } from '../../src/pki/parse.ts';
import { loadX509 } from '../../src/pki/x509.ts';
import { utf8 } from '../../src/base/bytes.ts';
import type { MintedCa, MintedCertificate } from './pki.ts';

export interface StatusedOptions {
  readonly cn: string;
  readonly ip?: readonly string[];
  readonly dns?: readonly string[];
  /** Where its status is told. */
  readonly ocspUrl?: string;
  readonly mustStaple?: boolean;
  /** `1.3.6.1.5.5.7.3.9` makes it a responder; server and client by default. */
  readonly usages?: readonly string[];
  readonly notAfter?: Date;
}

const SERVER_AND_CLIENT = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
export const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const oid = (...octets: number[]) => writeDer(DER.oid, Uint8Array.from(octets));
const AD_OCSP = oid(0x2b, 6, 1, 5, 5, 7, 0x30, 1);

/** A certificate of `ca` with its EC P-256 key. */
export async function issueStatused(ca: MintedCa, options: StatusedOptions): Promise<MintedCertificate> {
  const x509 = await loadX509();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = { certificate: ca.certificate, privateKey: new Secret(ca.keyPem) };
  const { ocspUrl, mustStaple } = options;
  const names = [
    ...(options.ip ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(options.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
  ];
  const extensions: Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([...(options.usages ?? SERVER_AND_CLIENT)]),
    new x509.AuthorityKeyIdentifierExtension(await keyIdentifierOf(x509, ca.certificate)),
    ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ...(ocspUrl ? [new x509.Extension('1.3.6.1.5.5.7.1.1', false, authorityInfo(ocspUrl))] : []),
    ...(mustStaple ? [new x509.Extension('1.3.6.1.5.5.7.1.24', false, Uint8Array.of(0x30, 3, 2, 1, 5))] : []),
  ];
  const created = await x509.X509CertificateGenerator.create({
    subject: new x509.Name([{ CN: [options.cn] }]),
    issuer: new x509.X509Certificate(new Uint8Array(ca.certificate.der)).subjectName,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: options.notAfter ?? new Date(Date.now() + 86_400_000),
    publicKey: new x509.PublicKey(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))),
    signingKey: await signingKeyOf(authority),
    signingAlgorithm: signingParametersOf(ca.certificate.facts.keyType),
    extensions,
  });
  const certificate = await parseDerCertificate(new Uint8Array(created.rawData));
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const { pem } = certificate;
  const { serialNumber } = certificate.facts;
  return { certPem: pem, keyPem, chainPem: pem, bundlePem: pem + keyPem, serialNumber, certificate };
}

const authorityInfo = (url: string) =>
  writeDer(DER.sequence, writeDer(DER.sequence, AD_OCSP, writeDer(0x86, utf8(url))));

export interface AnswerOptions {
  readonly status?: 'good' | 'revoked' | 'unknown';
  /** A minute ago by default. */
  readonly thisUpdate?: Date;
  /** In an hour by default; null leaves it out. */
  readonly nextUpdate?: Date | null;
  /** Who signs instead of the authority; its certificate is sent along. */
  readonly signer?: { readonly certificate: Certificate; readonly keyPem: string };
  readonly hash?: 'SHA-1' | 'SHA-256';
  readonly byKey?: boolean;
}

const ECDSA_SHA256 = writeDer(DER.sequence, oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2));
const HASHES = {
  'SHA-1': oid(0x2b, 0x0e, 3, 2, 0x1a),
  'SHA-256': oid(0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1),
} as const;
const time = (date: Date) =>
  writeDer(
    0x18,
    utf8(
      `${date
        .toISOString()
        .replaceAll(/[-:T]|\.\d+/g, '')
        .slice(0, 14)}Z`,
    ),
  );

/** What a responder answers about `certificate`, signed. @see https://www.rfc-editor.org/rfc/rfc6960#section-4.2.1 */
export async function ocspResponse(
  certificate: Certificate,
  ca: MintedCa,
  options: AnswerOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { sequence, octetString } = DER;
  const { status = 'good', hash = 'SHA-1', signer, nextUpdate } = options;
  const thisUpdate = options.thisUpdate ?? new Date(Date.now() - 60_000);
  const { nameHash, keyHash, serialNumber } = await certificateIdOf(certificate, ca.certificate, hash);
  const id = [writeDer(octetString, nameHash), writeDer(octetString, keyHash), serialNumber];
  const said = { good: writeDer(0x80), revoked: writeDer(0xa1, time(thisUpdate)), unknown: writeDer(0x82) }[status];
  const until = nextUpdate === undefined ? new Date(Date.now() + 3_600_000) : nextUpdate;
  const single = writeDer(
    sequence,
    writeDer(sequence, writeDer(sequence, HASHES[hash], writeDer(5)), ...id),
    said,
    time(thisUpdate),
    ...(until ? [writeDer(0xa0, time(until))] : []),
  );
  const by = signer?.certificate ?? ca.certificate;
  const responder = options.byKey
    ? writeDer(0xa2, writeDer(octetString, await digest('SHA-1', keyBitsOf(by))))
    : writeDer(0xa1, fieldsOf(by).subject);
  const data = writeDer(sequence, responder, time(thisUpdate), writeDer(sequence, single));
  const signature = sign('sha256', data, createPrivateKey(signer?.keyPem ?? ca.keyPem));
  const basic = writeDer(
    sequence,
    data,
    ECDSA_SHA256,
    writeDer(DER.bitString, Uint8Array.of(0), signature),
    ...(signer ? [writeDer(0xa0, writeDer(sequence, new Uint8Array(by.der)))] : []),
  );
  return failedWith(
    0,
    writeDer(0xa0, writeDer(sequence, oid(0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1), writeDer(octetString, basic))),
  );
}

/** A response that says that it failed: 3 is tryLater. */
export const failedWith = (status: number, rest: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> =>
  writeDer(DER.sequence, writeDer(0x0a, Uint8Array.of(status)), rest);

/** The serial number a request asks about, as `CertificateId` has it. */
export function askedAbout(request: Uint8Array<ArrayBuffer>): Uint8Array {
  let inner = request;
  // the request, its signed part, the list, its one entry, the id
  for (let depth = 0; depth < 4; depth++) inner = readOneDer(inner).value;
  return readDer(readOneDer(inner).value).at(-1)?.raw ?? new Uint8Array();
}
