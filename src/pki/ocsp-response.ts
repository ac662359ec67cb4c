import { fromUtf8 } from '../base/bytes.ts';
import { DER, oidOf, readDer, readOneDer, type DerElement } from './der.ts';
import type { SignedBytes } from './signed-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a responder says of one certificate. */
export interface SingleResponse {
  /** Dotted decimal. */
  readonly hash: string;
  readonly nameHash: Bytes;
  readonly keyHash: Bytes;
  /** DER INTEGER, whole. */
  readonly serialNumber: Bytes;
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number | undefined;
}

/** A response taken apart; nothing of it is verified. */
export interface OcspResponse extends SignedBytes {
  readonly responder: { readonly name: Bytes } | { readonly keyHash: Bytes };
  readonly responses: readonly SingleResponse[];
  /** DER certificates the responder sent along. */
  readonly certificates: readonly Bytes[];
}

const BASIC = '1.3.6.1.5.5.7.48.1.1';
const ENUMERATED = 0x0a;
const GENERALIZED_TIME = 0x18;
const [EXPLICIT_0, EXPLICIT_1, EXPLICIT_2] = [0xa0, 0xa1, 0xa2];
const STATUSES: Readonly<Record<number, SingleResponse['status']>> = { 0x80: 'good', 0xa1: 'revoked', 0x82: 'unknown' };
const FAILURES: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};
/** Whoever answers decides how much there is to read. */
const MAX_RESPONSES = 64;
const MAX_CERTIFICATES = 4;

/**
 * Takes an OCSP response apart.
 *
 * @throws RangeError when it is none, or one that says nothing but that it failed.
 * @see https://www.rfc-editor.org/rfc/rfc6960#section-4.2.1
 */
export function readOcspResponse(der: Bytes): OcspResponse {
  const [status, wrapped] = readDer(expect(readOneDer(der), DER.sequence));
  const code = expect(status, ENUMERATED)[0] ?? 0;
  if (code !== 0) throw new RangeError(`the responder says ${FAILURES[code] ?? `status ${code}`}`);
  const [type, basic] = readDer(expect(readOneDer(expect(wrapped, EXPLICIT_0)), DER.sequence));
  if (oidOf(expect(type, DER.oid)) !== BASIC) throw new RangeError('a response of another kind than basic');
  const [tbs, algorithm, signature, certificates] = readDer(
    expect(readOneDer(expect(basic, DER.octetString)), DER.sequence),
  );
  expect(algorithm, DER.sequence);
  return {
    ...readData(expect(tbs, DER.sequence)),
    bytes: rawOf(tbs),
    algorithm: rawOf(algorithm),
    // the first octet says how many bits of the last are unused
    signature: expect(signature, DER.bitString).subarray(1),
    certificates: certificates ? readCertificates(expect(certificates, EXPLICIT_0)) : [],
  };
}

function readData(data: Bytes): Pick<OcspResponse, 'responder' | 'responses'> {
  const parts = readDer(data);
  const [responder, , responses] = parts[0]?.tag === EXPLICIT_0 ? parts.slice(1) : parts;
  const single = readDer(expect(responses, DER.sequence));
  if (single.length > MAX_RESPONSES) throw new RangeError(`more than ${MAX_RESPONSES} responses in one`);
  return {
    responder:
      responder?.tag === EXPLICIT_1
        ? { name: responder.value }
        : { keyHash: expect(readOneDer(expect(responder, EXPLICIT_2)), DER.octetString) },
    responses: single.map((one) => readSingle(expect(one, DER.sequence))),
  };
}

function readSingle(value: Bytes): SingleResponse {
  const [id, status, thisUpdate, ...rest] = readDer(value);
  const [algorithm, nameHash, keyHash, serialNumber] = readDer(expect(id, DER.sequence));
  const [hash] = readDer(expect(algorithm, DER.sequence));
  const nextUpdate = rest.find(({ tag }) => tag === EXPLICIT_0);
  const said = STATUSES[status?.tag ?? 0];
  if (said === undefined) throw new RangeError('a status that is none of three');
  expect(serialNumber, DER.integer);
  return {
    hash: oidOf(expect(hash, DER.oid)),
    nameHash: expect(nameHash, DER.octetString),
    keyHash: expect(keyHash, DER.octetString),
    serialNumber: rawOf(serialNumber),
    status: said,
    thisUpdateMs: timeOf(thisUpdate),
    nextUpdateMs: nextUpdate && timeOf(readOneDer(nextUpdate.value)),
  };
}

function readCertificates(value: Bytes): readonly Bytes[] {
  const certificates = readDer(expect(readOneDer(value), DER.sequence));
  if (certificates.length > MAX_CERTIFICATES) throw new RangeError(`more than ${MAX_CERTIFICATES} certificates`);
  return certificates.map(({ raw }) => raw);
}

/** Seconds always, in UTC, without fractions. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5.2 */
function timeOf(element: DerElement | undefined): number {
  const text = fromUtf8(expect(element, GENERALIZED_TIME));
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const atMs = iso === text ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(atMs)) throw new RangeError('a time that is none');
  return atMs;
}

function expect(element: DerElement | undefined, tag: number): Bytes {
  if (element?.tag !== tag) throw new RangeError('an element of an OCSP response is missing or another one');
  return element.value;
}

function rawOf(element: DerElement | undefined): Bytes {
  if (element === undefined) throw new RangeError('an OCSP response ends too early');
  return element.raw;
}
