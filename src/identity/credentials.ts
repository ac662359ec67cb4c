import type { PeerChain } from '../tls/dialer.ts';

/** What the listener knows of a connection; one object for all requests that come over it. */
export interface CallerConnection {
  /** What the caller showed and the listener verified. */
  readonly chain: PeerChain;
}

/** What a request says of its caller. */
export interface Credentials {
  /** The header. */
  readonly authorization: string | undefined;
  /** Absent where the caller showed no certificate. */
  readonly connection?: CallerConnection | undefined;
}
