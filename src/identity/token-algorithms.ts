/** The JWS algorithms that sign with a secret both sides know. @see https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
export const HMAC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;

/** One of them. */
export type HmacAlgorithm = (typeof HMAC_ALGORITHMS)[number];

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;

/** What keys of each kind, by `kty` and curve, may sign with: a key never verifies under another kind's name. */
const BY_KIND = {
  RSA,
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA'],
} as const;

/**
 * The JWS algorithms that sign with a private key and verify with a public one.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7518#section-3.1
 * @see https://www.rfc-editor.org/rfc/rfc8037#section-3.1
 */
export const SIGNATURE_ALGORITHMS = [...RSA, 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

/** One of them. */
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** What tokens may be signed with. */
export type TokenAlgorithm = HmacAlgorithm | SignatureAlgorithm;

/** Whether an algorithm needs a pair of keys. */
export const isSignatureAlgorithm = (name: unknown): name is SignatureAlgorithm =>
  (SIGNATURE_ALGORITHMS as readonly unknown[]).includes(name);

/** What a key may sign with, by what a JWK says of it; nothing for a secret, and for what is not known here. */
export function algorithmsOf({ kty, crv }: { readonly kty?: unknown; readonly crv?: unknown }) {
  const kind = typeof crv === 'string' ? `${String(kty)} ${crv}` : String(kty);
  const found = Object.entries(BY_KIND).find(([name]) => name === kind);
  return (found?.[1] ?? []) as readonly SignatureAlgorithm[];
}
