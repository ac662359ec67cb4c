import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../../src/index.ts';

/** How often connections are looked at that have no request. */
const SWEEP_MS = 15_000;

/**
 * HTTP/1.1 connections that callers keep for their next request. Node closes idle ones itself, but takes one for idle
 * whose answer was written and has not left the process yet: under TLS that is every answer for a moment.
 */
export class Http1Connections {
  /** How many requests each has open. */
  readonly #open = new Map<Duplex, number>();
  /** Since when each has none, its first one not yet come included; monotonic. */
  readonly #idleSinceMs = new Map<Duplex, number>();
  readonly #clock: Clock;
  #isEnding = false;
  #cancelSweep: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Ends connections on which no request has come for `idleMs`. Node and Deno do that themselves, and sooner; Bun does not for
   * sockets it did not accept.
   */
  watch(http1: EventEmitter, event: 'connection' | 'secureConnection', idleMs: number): void {
    http1.on(event, (socket: Socket & { readonly alpnProtocol?: unknown }) => {
      if (socket.alpnProtocol === 'h2') return;
      this.#idleSinceMs.set(socket, this.#clock.monotonicMs());
      socket.once('close', () => this.#idleSinceMs.delete(socket));
    });
    const sweep = (): void => {
      const latestMs = this.#clock.monotonicMs() - idleMs;
      for (const [socket, sinceMs] of this.#idleSinceMs) if (sinceMs <= latestMs) socket.destroy();
      this.#cancelSweep = this.#clock.after(SWEEP_MS, sweep);
    };
    this.#cancelSweep = this.#clock.after(SWEEP_MS, sweep);
  }

  /** A request came over it. */
  begin(socket: Socket): void {
    const open = this.#open.get(socket);
    this.#idleSinceMs.delete(socket);
    if (open === undefined) socket.once('close', () => this.#open.delete(socket));
    this.#open.set(socket, (open ?? 0) + 1);
  }

  /** A request that came over it was answered. */
  end(socket: Socket): void {
    const open = this.#open.get(socket);
    if (open === undefined) return;
    this.#open.set(socket, open - 1);
    if (open === 1 && !socket.destroyed) this.#idleSinceMs.set(socket, this.#clock.monotonicMs());
    if (this.#isEnding && open === 1) socket.destroySoon();
  }

  /** It speaks something else from now on. */
  leave(socket: Duplex): void {
    this.#open.delete(socket);
    this.#idleSinceMs.delete(socket);
  }

  /** Ends every connection as soon as it is idle; what was written to it still leaves. */
  endIdle(): void {
    this.#isEnding = true;
    this.#cancelSweep();
    for (const [socket, open] of this.#open) if (open === 0) (socket as Socket).destroySoon();
  }
}
