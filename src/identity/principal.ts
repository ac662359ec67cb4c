/**
 * identity: who calls.
 *
 * Owns the Principal, tokens and their verification, certificates and what proxies hand on. Must not know tools,
 * upstreams or what a caller may do.
 */
export type Role = 'admin' | 'user';

declare const principalBrand: unique symbol;

/** What is known of a caller beside the name. */
export interface Claims {
  /** From the distinguished name of the certificate, or as a proxy says it. */
  readonly organisation?: string;
}

/** An authenticated caller. It says who, never what they may do. */
export interface Principal {
  readonly [principalBrand]: true;
  /** Stable name of the caller; sessions are bound to it. */
  readonly subject: string;
  readonly role: Role;
  /** How the caller was recognised. */
  readonly method: 'token' | 'certificate' | 'proxy' | 'open';
  readonly claims: Claims;
}

/** The one place where a Principal comes to be; call it only after a credential was verified. */
export function mintPrincipal(
  subject: string,
  role: Role,
  method: Principal['method'],
  claims: Claims = {},
): Principal {
  // the brand exists for the compiler only
  return Object.freeze({ subject, role, method, claims: Object.freeze(claims) }) as Principal;
}
