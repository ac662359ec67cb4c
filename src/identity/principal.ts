/**
 * identity: who calls.
 *
 * Owns the Principal, tokens and their verification, certificates and what proxies hand on. Must not know tools,
 * upstreams or what a caller may do.
 */
export type Role = 'admin' | 'user';

declare const principalBrand: unique symbol;

/** What else is said of a caller, by name: claims of a token, parts of a distinguished name, what a proxy adds. */
export type Claims = Readonly<Record<string, string | readonly string[]>>;

/** The certificate a caller was recognised by, or a proxy says so. */
export interface CallerCertificate {
  /** The distinguished name, as RFC 4514 writes it; undefined where a proxy does not tell. */
  readonly subject: string | undefined;
  /** The distinguished name of the issuer; undefined where nobody tells. */
  readonly issuer: string | undefined;
  /** SHA-256 of the certificate, lower-case hex; undefined where a proxy does not tell. */
  readonly sha256: string | undefined;
  /** The one of CA_CERTS it is under, by its common name where it has one; absent where nobody knows. */
  readonly ca?: string | undefined;
}

/** What a credential narrows down, of what its caller may do; an absent list narrows nothing. */
export interface TokenScope {
  /** Addresses, or patterns of them: the slug of a gateway or virtual server, or `/mcp`. */
  readonly servers?: readonly string[];
  /** Names or patterns of tools, as their servers call them. */
  readonly tools?: readonly string[];
}

/** What a verified credential says. */
export interface PrincipalFacts {
  /** Stable name of the caller; sessions are bound to it. */
  readonly subject: string;
  readonly role: Role;
  /** How the caller was recognised. */
  readonly method: 'token' | 'certificate' | 'proxy' | 'basic' | 'open';
  /** Of a token: who issued it. */
  readonly issuer?: string;
  readonly certificate?: CallerCertificate;
  readonly claims?: Claims;
  /** Absent where the credential narrows nothing. */
  readonly scope?: TokenScope;
}

/** An authenticated caller. It says who, never what they may do. */
export interface Principal extends PrincipalFacts {
  readonly [principalBrand]: true;
  readonly claims: Claims;
}

/** The one place where a Principal comes to be; call it only after a credential was verified. */
export function mintPrincipal({ claims = {}, ...facts }: PrincipalFacts): Principal {
  // the brand exists for the compiler only
  return Object.freeze({ ...facts, claims: Object.freeze(claims) }) as Principal;
}
