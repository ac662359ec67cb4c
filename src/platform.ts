import type { Clock } from './base/clock.ts';
import type { EventSink } from './base/events.ts';
import type { Secret } from './base/secret.ts';
import type { StorageDriver } from './store/driver.ts';
import type { Dialer } from './tls/dialer.ts';

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

/**
 * Reads a PEM file an operator named; the adapter decides which folders are allowed and checks the real path.
 *
 * @throws GatewayError file_refused
 */
export type FileReader = (path: string) => Promise<string>;

/** What a runtime hands in; everything else is the core's. */
export interface Platform {
  readonly dialer: Dialer;
  readonly storage: StorageDriver;
  readonly openKey: KeyOpener;
  readonly readFile: FileReader;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Background work that must be allowed to finish. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}
