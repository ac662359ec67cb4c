import type { DialerCapabilities, ListenerCapabilities, Secret, StorageDriver } from '../../src/index.ts';

/** Where `node:tls` differs between runtimes in what decides trust; each difference is made good for here. */
export interface TlsTraits {
  /** Whether a handshake looks certificates up in revocation lists; where it does not, we do right after it. */
  readonly checksCrls: boolean;
  /** Whether the chain told of a peer goes on with certificates of our own that the peer did not send. */
  readonly completesChains: boolean;
  /** Whether a server takes an intermediate as client CA, be it by an option; else Node's own context has to be told. */
  readonly trustsIntermediates: boolean;
  /** Whether a failed verification says why; where it does not, the server is looked at once more. */
  readonly explainsVerification: boolean;
}

/** What a runtime with `node:*` modules honours of them, and what it has of its own. One per adapter, never sniffed. */
export interface Runtime {
  /** As people write it. */
  readonly name: string;
  readonly dialer: DialerCapabilities;
  readonly listener: ListenerCapabilities;
  readonly tls: TlsTraits;
  /** Stores beside those every such runtime has, by the scheme that names them. */
  readonly stores: Readonly<Record<string, (storage: Secret) => Promise<StorageDriver>>>;
  /** Refuses a version that cannot be trusted with identities. @throws GatewayError capability_unsupported */
  readonly requireVersion?: () => void;
}
