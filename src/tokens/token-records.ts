/**
 * tokens: what is kept of tokens in the store.
 *
 * Owns tokens the API hands out, and the names of those that were taken back. Must not know how a request carries a
 * token, or what its caller may do.
 */
import type { KeptToken, Revocation } from '../identity/kept-tokens.ts';

/** A token the API handed out, as it is stored; the token itself is not. */
export interface TokenRecord extends Omit<KeptToken, 'id'> {
  /** For people. */
  readonly name?: string;
  readonly issuedBy: string;
}

/** A token, or all of a subject, that were taken back, as it is stored. */
export interface RevocationRecord extends Revocation {
  readonly what: 'jti' | 'subject';
  /** The `jti`, or the subject. */
  readonly name: string;
  /** ISO 8601. */
  readonly revokedAt: string;
  readonly revokedBy: string;
  /** When all it is about has expired by itself, ISO 8601. */
  readonly expiresAt: string;
}

/** What is wanted of a new token. */
export interface TokenWish extends Pick<TokenRecord, 'subject' | 'name' | 'scope' | 'networks'> {
  /** ISO 8601; null for one that does not expire. */
  readonly expiresAt: string | null;
}

/** What is to be taken back. */
export type RevocationWish =
  | { readonly what: 'jti'; readonly name: string; readonly expiresAt?: string }
  | { readonly what: 'subject'; readonly name: string; readonly issuedBefore?: string };
