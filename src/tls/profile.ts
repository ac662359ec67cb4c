/**
 * tls: whom we are and whom we believe in a handshake, and the ports that open connections with it.
 *
 * Owns TlsIdentity, TrustBundle, TlsProfile, its fingerprint and the channel cache. Must not know MCP, records,
 * HTTP statuses or which runtime dials.
 */
import type { Secret } from '../base/secret.ts';
import type { Certificate } from '../pki/certificate.ts';

/** What we present: a chain (leaf first) and its private key, already opened and known to match. */
export interface TlsIdentity {
  readonly chain: readonly Certificate[];
  /** PKCS#8 PEM, unencrypted. */
  readonly privateKey: Secret;
  /** DER SubjectPublicKeyInfo derived from the private key, not copied from the certificate. */
  readonly publicKey: Uint8Array;
}

/** What we present, where only the platform has it: certificate and key are never seen here. */
export interface PlatformIdentity {
  /** The name the platform knows it by. */
  readonly binding: string;
  readonly chain: readonly [];
}

/** Our side of a handshake. */
export type ClientIdentity = TlsIdentity | PlatformIdentity;

/**
 * Whom we believe: `system` is the runtime's default set, `only` replaces it, `add` extends it.
 * The order of `anchors` does not matter.
 */
export type TrustBundle =
  | { readonly mode: 'system' }
  | { readonly mode: 'only' | 'add'; readonly anchors: readonly Certificate[] };

/** The versions spoken; older ones never are. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

declare const fingerprintBrand: unique symbol;
/** SHA-256 (hex) over everything that decides a handshake; minted in `tls/fingerprint.ts` only. */
export type ProfileFingerprint = string & { readonly [fingerprintBrand]: true };

/** Everything that decides a handshake; immutable, validated, with its fingerprint. */
export interface TlsProfile {
  readonly fingerprint: ProfileFingerprint;
  readonly identity: ClientIdentity | undefined;
  readonly trust: TrustBundle;
  /** SNI and the name the certificate must carry, instead of the URL's host. */
  readonly serverName: string | undefined;
  readonly checkHostname: boolean;
  readonly verify: boolean;
  readonly minVersion: TlsVersion;
  /** One PEM CRL per entry; empty means revocation is not checked. */
  readonly crls: readonly string[];
  /** Whether the server's certificate is looked up by OCSP; absent means no. */
  readonly ocsp?: boolean | undefined;
  /** SHA-256 of the server certificate's SubjectPublicKeyInfo, base64; any one must match. */
  readonly pins: readonly string[];
}

/** The TLS fields of an upstream as an operator gives them, secrets opened, files read; nothing checked yet. */
export interface TlsMaterial {
  readonly caCertificate?: string | undefined;
  readonly caMode?: 'only' | 'add' | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: Secret | undefined;
  readonly clientKeyPassword?: Secret | undefined;
  /** The name of an identity the platform has, instead of certificate and key. */
  readonly clientBinding?: string | undefined;
  readonly serverName?: string | undefined;
  readonly checkHostname?: boolean | undefined;
  readonly verify?: boolean | undefined;
  readonly minVersion?: TlsVersion | undefined;
  readonly crl?: string | undefined;
  readonly revocation?: 'none' | 'ocsp' | undefined;
  readonly pins?: readonly string[] | undefined;
}
