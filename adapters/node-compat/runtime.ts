import type { DialerCapabilities, ListenerCapabilities, Secret, StorageDriver } from '../../src/index.ts';

/** What a runtime with `node:*` modules honours of them, and what it has of its own. One per adapter, never sniffed. */
export interface Runtime {
  /** As people write it. */
  readonly name: string;
  readonly dialer: DialerCapabilities;
  readonly listener: ListenerCapabilities;
  /** Stores beside those every such runtime has, by the scheme that names them. */
  readonly stores: Readonly<Record<string, (storage: Secret) => Promise<StorageDriver>>>;
}
