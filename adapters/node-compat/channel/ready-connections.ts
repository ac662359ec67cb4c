import type { Clock } from '../../../src/index.ts';
import type { Connection } from './connection.ts';

/** Connections that were opened ahead of the requests they are for. */
export class ReadyConnections {
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #kept = new Map<Connection, () => void>();

  /** @param keepMs how long one is kept for a request, in milliseconds; servers close idle connections */
  constructor(clock: Clock, keepMs: number) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  keep(connection: Connection): void {
    const { socket } = connection;
    const cancel = this.#clock.after(this.#keepMs, () => socket.destroy());
    const forget = (): void => {
      cancel();
      socket.off('close', forget);
      this.#kept.delete(connection);
    };
    socket.once('close', forget);
    this.#kept.set(connection, forget);
  }

  /** The one that was kept longest; its fate is the taker's. */
  take(): Connection | undefined {
    const [first] = this.#kept;
    if (first === undefined) return undefined;
    const [connection, forget] = first;
    forget();
    return connection;
  }

  /** Closes those nobody took. */
  close(): void {
    for (const { socket } of this.#kept.keys()) socket.destroy();
  }
}
