import type { PeerChain } from '../tls/dialer.ts';

/** What the listener knows of a connection; one object for all requests that come over it. */
export interface CallerConnection {
  /** The peer's IP address; undefined where it has none. */
  readonly address: string | undefined;
  /** What the peer showed and the listener verified; empty where it showed no certificate. */
  readonly chain: PeerChain;
}

/** What a request says of its caller. */
export interface Credentials {
  readonly headers: Pick<Headers, 'get'>;
  /** Absent where nobody knows: then no certificate was shown, and no header of a proxy is believed. */
  readonly connection?: CallerConnection | undefined;
}
