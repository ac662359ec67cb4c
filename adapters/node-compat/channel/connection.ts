import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { GatewayError, PeerChain } from '../../../src/index.ts';

/** What is known of an attempt when it fails; decides what an ambiguous failure means. */
export interface DialFacts {
  readonly host: string;
  readonly port: number;
  /** Whether we had a client certificate to show. */
  readonly presented: boolean;
  /** Whether the TCP connection stood and TLS had begun. */
  readonly handshaking: boolean;
  /** Whether the server had shown its certificate: what it refuses after that is us. */
  readonly serverShown: boolean;
}

/** What a channel must know of an open socket to explain a failure on it. */
export interface Connection {
  readonly socket: Socket | TLSSocket;
  readonly tls: boolean;
  readonly facts: DialFacts;
  /** What the server showed in the full handshake; empty without TLS. */
  readonly peer: PeerChain;
  /** A TLS failure reported after the handshake: under TLS 1.3 a client certificate is refused only then. */
  alert: Error | undefined;
  /** Whether any response arrived on this socket. */
  answered: boolean;
}

/** Opens one connection and calls back once; the returned function gives up the attempt. */
export type Connect = (
  done: (error: GatewayError | undefined, connection: Connection | undefined) => void,
) => () => void;
