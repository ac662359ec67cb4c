import { fromUtf8 } from '../base/bytes.ts';
import { DER, oidOf, readDer, readOneDer } from './der.ts';

/** What the extensions of a certificate say, as far as a gateway asks. */
export interface CertificateExtensions {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
  /** Undefined when the certificate carries no basic constraints. */
  readonly basicConstraintsCa: boolean | undefined;
  /** True unless a key usage is present that leaves signing certificates out. */
  readonly maySignCertificates: boolean;
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly subjectKeyIdentifier: Uint8Array<ArrayBuffer> | undefined;
  readonly count: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

const OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
} as const;

const EXTENSIONS_TAG = 0xa3;
const KEY_CERT_SIGN_BIT = 0x04;

/**
 * Reads the extensions of a DER certificate. The library refuses a whole certificate over one name of a kind it does
 * not know (Kerberos and device identities have them), so they are read here, where such names are passed over.
 *
 * @throws RangeError when the DER is damaged.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2
 */
export function readExtensions(der: Bytes): CertificateExtensions {
  const extensions = extensionValues(der);
  const constraints = extensions.get(OID.basicConstraints);
  const keyUsage = extensions.get(OID.keyUsage);
  const extendedKeyUsage = extensions.get(OID.extendedKeyUsage);
  const keyIdentifier = extensions.get(OID.subjectKeyIdentifier);
  return {
    ...readNames(extensions.get(OID.subjectAltName)),
    basicConstraintsCa: constraints && readDer(readOneDer(constraints).value).some(isTrue),
    maySignCertificates: !keyUsage || ((readOneDer(keyUsage).value[1] ?? 0) & KEY_CERT_SIGN_BIT) !== 0,
    extendedKeyUsages: extendedKeyUsage && readDer(readOneDer(extendedKeyUsage).value).map(({ value }) => oidOf(value)),
    subjectKeyIdentifier: keyIdentifier && readOneDer(keyIdentifier).value,
    count: extensions.size,
  };
}

/** The values of all extensions of a DER certificate, by identifier. @throws RangeError when the DER is damaged. */
export function extensionValues(der: Bytes): ReadonlyMap<string, Bytes> {
  const [tbs] = readDer(readOneDer(der).value);
  const wrapper = tbs && readDer(tbs.value).find(({ tag }) => tag === EXTENSIONS_TAG);
  if (!wrapper) return new Map();
  return new Map(
    readDer(readOneDer(wrapper.value).value).map((extension) => {
      const parts = readDer(extension.value);
      const value = parts.find(({ tag }) => tag === DER.octetString);
      if (parts[0]?.tag !== DER.oid || !value)
        throw new RangeError('a certificate extension has no identifier or value');
      return [oidOf(parts[0].value), value.value] as const;
    }),
  );
}

function isTrue({ tag, value }: { readonly tag: number; readonly value: Bytes }): boolean {
  return tag === DER.boolean && value[0] !== 0;
}

function readNames(
  subjectAltName: Bytes | undefined,
): Pick<CertificateExtensions, 'dnsNames' | 'ipAddresses' | 'emails' | 'uris'> {
  const names = subjectAltName ? readDer(readOneDer(subjectAltName).value) : [];
  const ofKind = (tag: number) => names.filter((name) => name.tag === tag).map(({ value }) => value);
  return {
    emails: ofKind(0x81).map(fromUtf8),
    dnsNames: ofKind(0x82).map(fromUtf8),
    uris: ofKind(0x86).map(fromUtf8),
    ipAddresses: ofKind(0x87).map(ipAddressText),
  };
}

/** @see https://www.rfc-editor.org/rfc/rfc5952#section-4 for IPv6 */
function ipAddressText(bytes: Bytes): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new RangeError('an IP address in a certificate has neither 4 nor 16 octets');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  // The URL parser of every runtime writes the one canonical form.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
