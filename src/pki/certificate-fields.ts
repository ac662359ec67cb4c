import type { Certificate } from './certificate.ts';
import { readDer, readOneDer, type DerElement } from './der.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Parts of a certificate as they were signed, for what is computed over their very bytes. */
export interface CertificateFields {
  /** DER INTEGER, whole. */
  readonly serialNumber: Bytes;
  /** DER Name, whole. */
  readonly issuer: Bytes;
  readonly subject: Bytes;
}

const VERSION_TAG = 0xa0;

/** @throws RangeError when the DER is damaged. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
export function fieldsOf({ der }: Certificate): CertificateFields {
  const [tbs] = readDer(readOneDer(new Uint8Array(der)).value);
  const fields = tbs ? readDer(tbs.value) : [];
  const [serialNumber, , issuer, , subject] = fields[0]?.tag === VERSION_TAG ? fields.slice(1) : fields;
  return { serialNumber: rawOf(serialNumber), issuer: rawOf(issuer), subject: rawOf(subject) };
}

/** The bits of a public key, without the algorithm around them. @throws RangeError when the DER is damaged. */
export function keyBitsOf({ publicKey }: Certificate): Bytes {
  const [, bits] = readDer(readOneDer(new Uint8Array(publicKey)).value);
  // the first octet says how many bits of the last are unused
  return valueOf(bits).subarray(1);
}

function rawOf(element: DerElement | undefined): Bytes {
  if (element === undefined) throw new RangeError('a certificate ends too early');
  return element.raw;
}

function valueOf(element: DerElement | undefined): Bytes {
  if (element === undefined) throw new RangeError('a public key ends too early');
  return element.value;
}
