import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/**
 * HTTP/1.1 connections that callers keep for their next request. Node closes idle ones itself, but takes one for idle
 * whose answer was written and has not left the process yet: under TLS that is every answer for a moment.
 */
export class Http1Connections {
  /** How many requests each has open. */
  readonly #open = new Map<Duplex, number>();
  #isEnding = false;

  /** A request came over it. */
  begin(socket: Socket): void {
    const open = this.#open.get(socket);
    if (open === undefined) socket.once('close', () => this.#open.delete(socket));
    this.#open.set(socket, (open ?? 0) + 1);
  }

  /** A request that came over it was answered. */
  end(socket: Socket): void {
    const open = this.#open.get(socket);
    if (open === undefined) return;
    this.#open.set(socket, open - 1);
    if (this.#isEnding && open === 1) socket.destroySoon();
  }

  /** It speaks something else from now on. */
  leave(socket: Duplex): void {
    this.#open.delete(socket);
  }

  /** Ends every connection as soon as it is idle; what was written to it still leaves. */
  endIdle(): void {
    this.#isEnding = true;
    for (const [socket, open] of this.#open) if (open === 0) (socket as Socket).destroySoon();
  }
}
