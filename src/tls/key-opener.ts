import type { Secret } from '../base/secret.ts';

/** A private key, decrypted. */
export interface OpenedKey {
  /** PKCS#8 PEM, unencrypted. */
  readonly pkcs8: Secret;
  /** DER SubjectPublicKeyInfo computed from the private key. */
  readonly publicKey: Uint8Array;
}

/**
 * Opens private keys in any PEM form (PKCS#8, PKCS#1, SEC1, encrypted or not).
 *
 * @throws GatewayError key_unreadable, key_passphrase_wrong
 */
export type KeyOpener = (pem: Secret, passphrase: Secret | undefined) => Promise<OpenedKey>;
