import type { JWK } from 'jose';
import { derOfPem } from '../pki/pem.ts';
import type { PemBlock } from '../pki/pem.ts';
import type { SignatureAlgorithm } from './token-algorithms.ts';

/** What PEM a key of a token may be in, by what WebCrypto calls it. */
const FORMATS: Readonly<Record<string, { readonly format: 'pkcs8' | 'spki'; readonly use: 'sign' | 'verify' }>> = {
  'PRIVATE KEY': { format: 'pkcs8', use: 'sign' },
  'PUBLIC KEY': { format: 'spki', use: 'verify' },
};

/** Whether a block of PEM may hold a key of a token. */
export const isKeyBlock = ({ label }: PemBlock): boolean => Object.hasOwn(FORMATS, label);

/** The key in such a block; rejects where it is malformed, or not for this algorithm. */
export async function jwkOfPem({ label, pem }: PemBlock, algorithm: SignatureAlgorithm): Promise<JWK> {
  const { format, use } = FORMATS[label] ?? { format: 'spki', use: 'verify' };
  const key = await crypto.subtle.importKey(format, derOfPem(pem), parametersOf(algorithm), true, [use]);
  // what else is said of it is said of this import
  const { alg: _alg, key_ops: _operations, ext: _extractable, ...jwk } = await crypto.subtle.exportKey('jwk', key);
  return jwk;
}

/** @see https://w3c.github.io/webcrypto/#algorithms */
function parametersOf(algorithm: SignatureAlgorithm) {
  const bits = algorithm.slice(2);
  if (algorithm === 'EdDSA') return { name: 'Ed25519' };
  if (algorithm.startsWith('ES')) return { name: 'ECDSA', namedCurve: `P-${bits === '512' ? '521' : bits}` };
  return { name: algorithm.startsWith('PS') ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash: `SHA-${bits}` };
}
