/** One DER element: its identifier octet, its contents, and the two together with the length. */
export interface DerElement {
  readonly tag: number;
  readonly value: Uint8Array<ArrayBuffer>;
  readonly raw: Uint8Array<ArrayBuffer>;
}

/** The identifier octets certificates are made of. @see https://www.itu.int/rec/T-REC-X.690 section 8.1.2 */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
} as const;

/**
 * The elements that follow one another in `bytes`; nothing may be left over.
 *
 * @throws RangeError when lengths do not add up or a tag is longer than one octet.
 * @see https://www.itu.int/rec/T-REC-X.690 sections 8.1 and 10.1
 */
export function readDer(bytes: Uint8Array<ArrayBuffer>): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = readElement(bytes, at);
    elements.push(element);
    at += element.raw.length;
  }
  return elements;
}

/** The single element `bytes` holds. @throws RangeError when it holds none, or more than one. */
export function readOneDer(bytes: Uint8Array<ArrayBuffer>): DerElement {
  const [element, ...rest] = readDer(bytes);
  if (!element || rest.length > 0) throw new RangeError('expected exactly one DER element');
  return element;
}

/** Dotted decimal of an OBJECT IDENTIFIER's contents. */
export function oidOf(value: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of value) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet & 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const first = arcs[0] ?? 0;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...arcs.slice(1)].join('.');
}

function readElement(bytes: Uint8Array<ArrayBuffer>, at: number): DerElement {
  const tag = octetAt(bytes, at);
  if ((tag & 0x1f) === 0x1f) throw new RangeError('a DER tag of several octets is not used in certificates');
  const first = octetAt(bytes, at + 1);
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthOctets > 4) throw new RangeError('a DER length is indefinite or too long');
  let length = lengthOctets === 0 ? first : 0;
  for (let index = 0; index < lengthOctets; index++) length = length * 256 + octetAt(bytes, at + 2 + index);
  const start = at + 2 + lengthOctets;
  const end = start + length;
  if (end > bytes.length) throw new RangeError('a DER element is longer than what holds it');
  return { tag, value: bytes.subarray(start, end), raw: bytes.subarray(at, end) };
}

function octetAt(bytes: Uint8Array, at: number): number {
  const octet = bytes[at];
  if (octet === undefined) throw new RangeError('a DER element ends too early');
  return octet;
}
