import type { EventEmitter } from 'node:events';
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../../src/index.ts';

/** How often connections are looked at that have no request. */
const SWEEP_MS = 15_000;

/** What requests come over. */
type Connection = Duplex | Http2Session;

/**
 * Connections that callers keep for their next request. Node closes idle ones of HTTP/1.1 itself, but takes one for idle
 * whose answer was written and has not left the process yet: under TLS that is every answer for a moment. Those of
 * HTTP/2 it takes for busy as long as anything comes, a ping every now and then included.
 */
export class Connections {
  /** How many requests each has open. */
  readonly #open = new Map<Connection, number>();
  /** Since when each has none, its first one not yet come included; monotonic, the longest first. */
  readonly #idleSinceMs = new Map<Connection, number>();
  /** Those of whom no HTTP has come yet, the oldest first. */
  readonly #silent = new Map<string, Socket>();
  readonly #clock: Clock;
  #isEnding = false;
  #cancelSweep: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends connections on which no request has come for `idleMs`. */
  watch(http1: EventEmitter, event: 'connection' | 'secureConnection', http2: EventEmitter, idleMs: number): void {
    const speak = (socket: Socket): void => void this.#silent.delete(peerOf(socket));
    if (http2 !== http1) http2.on('connection', speak);
    http1.on(event, (socket: Socket & { readonly alpnProtocol?: unknown }) => {
      speak(socket);
      if (socket.alpnProtocol !== 'h2') this.#rest(socket);
    });
    http2.on('session', (session: Http2Session) => this.#rest(session));
    const sweep = (): void => {
      const latestMs = this.#clock.monotonicMs() - idleMs;
      for (const [connection, sinceMs] of this.#idleSinceMs) {
        if (sinceMs > latestMs) break;
        connection.destroy();
      }
      this.#cancelSweep = this.#clock.after(SWEEP_MS, sweep);
    };
    this.#cancelSweep = this.#clock.after(SWEEP_MS, sweep);
  }

  /** A request came over it. */
  begin(connection: Connection): void {
    const open = this.#open.get(connection);
    this.#idleSinceMs.delete(connection);
    if (open === undefined) connection.once('close', () => this.#open.delete(connection));
    this.#open.set(connection, (open ?? 0) + 1);
  }

  /** A request that came over it was answered. */
  end(connection: Connection): void {
    const open = this.#open.get(connection);
    if (open === undefined) return;
    this.#open.set(connection, open - 1);
    if (open === 1 && !connection.destroyed) this.#idleSinceMs.set(connection, this.#clock.monotonicMs());
    if (this.#isEnding && open === 1) endSoon(connection);
  }

  /** It speaks something else from now on. */
  leave(connection: Connection): void {
    this.#open.delete(connection);
    this.#idleSinceMs.delete(connection);
  }

  /** A TCP connection was made; before its first byte, or its handshake, it is nobody's. */
  arrive(socket: Socket): void {
    const peer = peerOf(socket);
    this.#silent.set(peer, socket);
    socket.once('close', () => this.#silent.delete(peer));
  }

  /**
   * Ends the one that has been without a request for the longest; false where each has one. Of those still silent and
   * those that were served it is one of whom there are more, so that neither a flood of handshakes ends the
   * connections of others, nor idle connections a handshake.
   */
  endOne(): boolean {
    const [peer, oldest] = this.#silent.entries().next().value ?? [''];
    const [longest] = this.#idleSinceMs.keys();
    const ended = this.#silent.size > this.#idleSinceMs.size ? oldest : (longest ?? oldest);
    if (ended === undefined) return false;
    if (ended === oldest) this.#silent.delete(peer);
    else this.#idleSinceMs.delete(ended);
    ended.destroy();
    return true;
  }

  /** Ends every connection as soon as it is idle; what was written to it still leaves. */
  endIdle(): void {
    this.#isEnding = true;
    this.#cancelSweep();
    for (const [connection, open] of this.#open) if (open === 0) endSoon(connection);
  }

  #rest(connection: Connection): void {
    this.#idleSinceMs.set(connection, this.#clock.monotonicMs());
    connection.once('close', () => this.#idleSinceMs.delete(connection));
  }
}

/** Names the TCP connection below a TLS one as well. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** HTTP/2 tells its end to whoever is told to close it. */
function endSoon(connection: Connection): void {
  if ('destroySoon' in connection) (connection as Socket).destroySoon();
}
