import { createPrivateKey } from 'node:crypto';
import { Secret } from '../../src/base/secret.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { issueCrl } from '../../src/pki/issue-crl.ts';
import {
  createAuthority,
  issueCertificate,
  type CertificatePurpose,
  type IssuedCertificate,
} from '../../src/pki/issue.ts';
import type { KeyType } from '../../src/pki/keys.ts';
import { parseDerCertificate } from '../../src/pki/parse.ts';
import { loadX509 } from '../../src/pki/x509.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface MintOptions {
  readonly cn: string;
  readonly organisation?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uris?: readonly string[];
  readonly emails?: readonly string[];
  /** `both` by default; `none` leaves the extended key usage out. */
  readonly eku?: CertificatePurpose;
  /** An hour ago by default. */
  readonly notBefore?: Date;
  /** In 30 days by default. */
  readonly notAfter?: Date;
  readonly keyType?: KeyType;
  /** Issued by this intermediate instead, which then is part of `chainPem`. */
  readonly via?: MintedCa;
}

export interface MintedCertificate {
  readonly certPem: string;
  /** PKCS#8. */
  readonly keyPem: string;
  /** The certificate and the intermediates above it, without the root. */
  readonly chainPem: string;
  /** `chainPem` and the key in one text. */
  readonly bundlePem: string;
  /** Hexadecimal, as `crl()` takes it. */
  readonly serialNumber: string;
  readonly certificate: Certificate;
}

export interface MintedCa {
  readonly pem: string;
  readonly keyPem: string;
  readonly certificate: Certificate;
  issue(options: MintOptions): Promise<MintedCertificate>;
  /** An authority below this one. */
  intermediate(name: string, options?: CaOptions): Promise<MintedCa>;
  /** A revocation list of these serial numbers, current from an hour ago until tomorrow. */
  crl(revokedSerials: readonly string[], options?: { thisUpdate?: Date; nextUpdate?: Date }): Promise<string>;
}

export interface CaOptions {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly keyType?: KeyType;
}

export interface TestPki {
  ca(name: string, options?: CaOptions): Promise<MintedCa>;
  /** A server's own self-signed certificate that is no CA. */
  selfSigned(options: Omit<MintOptions, 'via' | 'keyType'>): Promise<MintedCertificate>;
}

/** Mints authorities and certificates for one test file; EC P-256 unless asked otherwise, about a millisecond each. */
export async function mintPki(): Promise<TestPki> {
  await loadX509();
  return { ca: async (name, options = {}) => mintCa(name, options), selfSigned };
}

/** A key as the tools of the world write it: encrypted PKCS#8, or the older forms for RSA and EC. */
export function keyForm(keyPem: string, form: 'pkcs1' | 'sec1' | { readonly passphrase: string }): string {
  const key = createPrivateKey(keyPem);
  if (typeof form === 'object')
    return key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: form.passphrase });
  return key.export({ type: form, format: 'pem' });
}

async function mintCa(
  name: string,
  options: CaOptions,
  above?: { own: IssuedCertificate; chainPem: string },
): Promise<MintedCa> {
  const own = await createAuthority(
    { subject: { commonName: name }, ...validity(options), ...kind(options) },
    above?.own,
  );
  const { certificate } = own;
  const chainPem = above ? certificate.pem + above.chainPem : '';
  return {
    pem: certificate.pem,
    keyPem: own.privateKey.reveal(),
    certificate,
    issue: ({ via, ...rest }) => (via ? via.issue(rest) : mintLeaf(own, rest, chainPem)),
    intermediate: (below, belowOptions = {}) => mintCa(below, belowOptions, { own, chainPem }),
    crl: (revokedSerialNumbers, { thisUpdate, nextUpdate } = {}) =>
      issueCrl(own, {
        revokedSerialNumbers,
        thisUpdate: thisUpdate ?? new Date(Date.now() - HOUR_MS),
        nextUpdate: nextUpdate ?? new Date(Date.now() + DAY_MS),
      }),
  };
}

async function mintLeaf(
  authority: IssuedCertificate,
  options: MintOptions,
  abovePem: string,
): Promise<MintedCertificate> {
  const issued = await issueCertificate(authority, {
    subject: { commonName: options.cn, ...(options.organisation && { organization: options.organisation }) },
    ...validity(options),
    ...kind(options),
    purpose: options.eku ?? 'both',
    dnsNames: options.dns ?? [],
    ipAddresses: options.ip ?? [],
    uris: options.uris ?? [],
    emails: options.emails ?? [],
  });
  return minted(issued, abovePem);
}

async function selfSigned(options: Omit<MintOptions, 'via' | 'keyType'>): Promise<MintedCertificate> {
  const x509 = await loadX509();
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const created = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    name: [{ CN: [options.cn] }],
    signingAlgorithm: algorithm,
    ...validity(options),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension([
        ...(options.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
        ...(options.ip ?? []).map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  });
  const certificate = await parseDerCertificate(new Uint8Array(created.rawData));
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const keyPem = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  });
  return minted({ certificate, privateKey: new Secret(keyPem) }, '');
}

function minted({ certificate, privateKey }: IssuedCertificate, abovePem: string): MintedCertificate {
  const chainPem = certificate.pem + abovePem;
  const keyPem = privateKey.reveal();
  const { serialNumber } = certificate.facts;
  return { certPem: certificate.pem, keyPem, chainPem, bundlePem: chainPem + keyPem, serialNumber, certificate };
}

function validity(options: CaOptions): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: options.notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + 30 * DAY_MS),
  };
}

function kind(options: CaOptions): { keyType: KeyType } {
  return { keyType: options.keyType ?? 'ec-p256' };
}
