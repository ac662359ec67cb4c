import type { JWK } from 'jose';
import { fromBase64 } from '../base/bytes.ts';
import { digestOf } from './digest.ts';
import { algorithmsOf } from './token-algorithms.ts';

/** What makes up a public key, by kind, in lexical order. @see https://www.rfc-editor.org/rfc/rfc7638#section-3.2 */
const PUBLIC_MEMBERS: Readonly<Record<string, readonly (keyof JWK)[]>> = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
};

/** What is in no public key; `k` is a secret as a whole. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** Shorter RSA keys can be factored. @see https://www.rfc-editor.org/rfc/rfc7518#section-3.3 */
const SHORTEST_RSA_BYTES = 256;

/** Why a key cannot be used to verify signatures; undefined when it can. */
export function problemWithKey(jwk: JWK): string | undefined {
  if (jwk.kty === 'oct') return 'is a secret that both sides know';
  if (algorithmsOf(jwk).length === 0) return 'is neither RSA, nor EC on P-256, P-384 or P-521, nor Ed25519';
  if (!membersOf(jwk).every((name) => typeof jwk[name] === 'string')) return 'lacks a part of the public key';
  if (jwk.kty === 'RSA' && byteLengthOf(jwk.n ?? '') < SHORTEST_RSA_BYTES) return 'is shorter than 2048 bits';
  return undefined;
}

/** The public half alone: its numbers, and nothing else that was written beside them. */
export function publicHalf(jwk: JWK): JWK {
  return Object.fromEntries(membersOf(jwk).map((name) => [name, jwk[name]]));
}

/** SHA-256 of the public half, as base64url. @see https://www.rfc-editor.org/rfc/rfc7638#section-3 */
export const thumbprintOf = (jwk: JWK): Promise<string> => digestOf(JSON.stringify(publicHalf(jwk)));

/** Whether a JWK holds what must not be published. */
export const isPrivate = (jwk: JWK): boolean => PRIVATE_MEMBERS.some((name) => name in jwk);

const membersOf = ({ kty = '' }: JWK): readonly (keyof JWK)[] =>
  Object.hasOwn(PUBLIC_MEMBERS, kty) ? (PUBLIC_MEMBERS[kty] ?? []) : [];

function byteLengthOf(number: string): number {
  try {
    return fromBase64(number).length;
  } catch {
    return 0;
  }
}
