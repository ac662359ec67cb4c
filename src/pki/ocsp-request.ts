import type { Certificate } from './certificate.ts';
import { fieldsOf, keyBitsOf } from './certificate-fields.ts';
import { DER } from './der.ts';
import { writeDer } from './der-write.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a status is about: an authority by two hashes, and a serial number of it. */
export interface CertificateId {
  readonly nameHash: Bytes;
  readonly keyHash: Bytes;
  /** DER INTEGER, whole. */
  readonly serialNumber: Bytes;
}

/** @throws RangeError when the DER is damaged. @see https://www.rfc-editor.org/rfc/rfc6960#section-4.1.1 */
export async function certificateIdOf(
  certificate: Certificate,
  issuer: Certificate,
  hash: 'SHA-1' | 'SHA-256',
): Promise<CertificateId> {
  const { serialNumber, issuer: name } = fieldsOf(certificate);
  return { serialNumber, nameHash: await digest(hash, name), keyHash: await digest(hash, keyBitsOf(issuer)) };
}

/**
 * A request for the status of one certificate, without a nonce, so that responders may answer with what they prepared.
 *
 * @throws RangeError when the DER is damaged.
 * @see https://www.rfc-editor.org/rfc/rfc5019#section-2.1.1
 */
export async function ocspRequest(certificate: Certificate, issuer: Certificate): Promise<Bytes> {
  const { nameHash, keyHash, serialNumber } = await certificateIdOf(certificate, issuer, 'SHA-1');
  const { sequence, octetString } = DER;
  const id = writeDer(
    sequence,
    writeDer(sequence, SHA1_IDENTIFIER, writeDer(NULL_TAG)),
    writeDer(octetString, nameHash),
    writeDer(octetString, keyHash),
    serialNumber,
  );
  // the request, its signed part, the list, its one entry
  return writeDer(sequence, writeDer(sequence, writeDer(sequence, writeDer(sequence, id))));
}

/** A hash as bytes. */
export async function digest(hash: 'SHA-1' | 'SHA-256', bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest(hash, bytes));
}

const NULL_TAG = 0x05;
/** 1.3.14.3.2.26 */
const SHA1_IDENTIFIER = Uint8Array.of(DER.oid, 5, 0x2b, 0x0e, 0x03, 0x02, 0x1a);
