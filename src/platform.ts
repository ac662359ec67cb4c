import type { Clock } from './base/clock.ts';
import type { EventHub } from './base/events.ts';
import type { Secret } from './base/secret.ts';
import type { StorageDriver } from './store/driver.ts';
import type { Dialer } from './tls/dialer.ts';
import type { KeyOpener } from './tls/key-opener.ts';

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
  /** The vault keys as POSTERN_VAULT_KEYS writes them; asked at the start, at a reload and for a key not at hand. */
  readonly readVaultKeys: () => Promise<Secret>;
  readonly clock: Clock;
  /** What the platform's own parts report to as well; the gateway attaches its metrics. */
  readonly events: EventHub;
  /** Background work that must be allowed to finish. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}
