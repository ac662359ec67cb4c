import type { Certificate } from './certificate.ts';
import { oidOf, readDer, readOneDer } from './der.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const RSA = 'RSASSA-PKCS1-v1_5';
/** By object identifier; SHA-1 is left out. @see https://www.rfc-editor.org/rfc/rfc5758, 4055 and 8410 */
const ALGORITHMS: Readonly<Record<string, { readonly name: string; readonly hash?: string }>> = {
  '1.2.840.113549.1.1.11': { name: RSA, hash: 'SHA-256' },
  '1.2.840.113549.1.1.12': { name: RSA, hash: 'SHA-384' },
  '1.2.840.113549.1.1.13': { name: RSA, hash: 'SHA-512' },
  '1.2.840.10045.4.3.2': { name: 'ECDSA', hash: 'SHA-256' },
  '1.2.840.10045.4.3.3': { name: 'ECDSA', hash: 'SHA-384' },
  '1.2.840.10045.4.3.4': { name: 'ECDSA', hash: 'SHA-512' },
  '1.3.101.112': { name: 'Ed25519' },
};
const CURVE_BYTES: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

/** Bytes with a signature, as X.509 has them. */
export interface SignedBytes {
  readonly bytes: Bytes;
  /** DER AlgorithmIdentifier. */
  readonly algorithm: Bytes;
  readonly signature: Bytes;
}

/** Whether the key of `signer` signed them; a signature of a kind that is not known here counts as not verified. */
export async function areSignedBy({ bytes, algorithm, signature }: SignedBytes, signer: Certificate): Promise<boolean> {
  try {
    const [identifier] = readDer(readOneDer(algorithm).value);
    const known = identifier && ALGORITHMS[oidOf(identifier.value)];
    if (known === undefined) return false;
    const namedCurve = signer.facts.keyType.replace(/^EC /, '');
    const parameters = known.name === 'ECDSA' ? { ...known, namedCurve } : known;
    const spki = new Uint8Array(signer.publicKey);
    const key = await crypto.subtle.importKey('spki', spki, parameters, false, ['verify']);
    const plain = known.name === 'ECDSA' ? joined(signature, CURVE_BYTES[namedCurve] ?? 0) : signature;
    return await crypto.subtle.verify(parameters, key, plain, bytes);
  } catch {
    return false;
  }
}

/** WebCrypto takes the two numbers of an ECDSA signature one after the other, each as long as the curve. */
function joined(signature: Bytes, length: number): Bytes {
  const out = new Uint8Array(2 * length);
  const numbers = readDer(readOneDer(signature).value).map(({ value }) => value);
  for (const [index, number] of numbers.entries()) {
    const digits = number.subarray(Math.max(0, number.length - length));
    out.set(digits, (index + 1) * length - digits.length);
  }
  return out;
}
