import type { Dispatcher, Pool as PoolOfClients } from 'undici/index.js';
import { equalBytes, GatewayError } from '../../../src/index.ts';
import type {
  Channel,
  ChannelRequest,
  ChannelResponse,
  Clock,
  CutCount,
  PeerChain,
  ProfileFingerprint,
} from '../../../src/index.ts';
import type { Connect, Connection } from './connection.ts';
import { Exchange, type ExchangeOwner } from './exchange.ts';
import { ReadyConnections } from './ready-connections.ts';
import { Client, Pool } from './undici.ts';

/**
 * Sockets one channel may hold. Every open event stream takes one, so the bound is far above what calls need; it is
 * there so that a runaway caller queues in front of one upstream instead of exhausting the descriptors of all.
 */
const MAX_CONNECTIONS = 1024;
/** Below the 5 s after which Node and uvicorn servers close: a call must not meet a socket that is being closed. */
const IDLE_MS = 4_000;
/** However long a server promises to keep an idle connection, it is not kept longer. */
const MAX_IDLE_MS = 60_000;

export interface UndiciChannelOptions {
  readonly origin: string;
  readonly fingerprint: ProfileFingerprint | undefined;
  readonly connect: Connect;
  readonly clock: Clock;
  /** Milliseconds to the response headers for requests that do not say; 0 means no limit. */
  readonly headersTimeoutMs: number;
  readonly maxConnections?: number;
  /** Has no TLS session of before resumed. */
  readonly forgetSessions?: () => void;
  /** Called once, when the channel has let go of its last connection; `late` requests did not finish in a drain. */
  readonly onClosed: (late: number) => void;
}

/** A Channel on an undici pool, for every runtime with `node:tls`: HTTP/1.1, one request per connection at a time. */
export class UndiciChannel implements Channel, ExchangeOwner {
  readonly origin: string;
  readonly fingerprint: ProfileFingerprint | undefined;
  readonly #options: UndiciChannelOptions;
  readonly #pool: PoolOfClients;
  readonly #running = new Set<Exchange>();
  readonly #connections = new Set<Connection>();
  readonly #ready: ReadyConnections;
  /** Connections being opened, by what refuses them. */
  readonly #dialing = new Set<() => void>();
  #closed = false;
  #gone: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(options: UndiciChannelOptions) {
    this.origin = options.origin;
    this.fingerprint = options.fingerprint;
    this.#options = options;
    this.#ready = new ReadyConnections(options.clock, IDLE_MS);
    this.#pool = new Pool(options.origin, {
      factory: (origin) => new TrackingClient(origin, this.#connect, options.headersTimeoutMs),
      connections: options.maxConnections ?? MAX_CONNECTIONS,
      allowH2: false,
    });
  }

  get active(): number {
    return this.#running.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(request: ChannelRequest): Promise<ChannelResponse> {
    if (this.#closed) return Promise.reject(unsent());
    if (request.signal?.aborted) return Promise.reject(request.signal.reason);
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(this, request, { resolve, reject });
      this.#running.add(exchange);
      this.#pool.dispatch(
        {
          method: request.method,
          path: request.path,
          headers: request.headers as Record<string, string>,
          body: request.body ?? null,
          headersTimeout: request.headersTimeoutMs ?? null,
        },
        exchange,
      );
    });
  }

  async warm(count: number): Promise<void> {
    const missing = Math.max(0, count - this.#connections.size);
    await Promise.all(Array.from({ length: missing }, () => this.#dialAhead()));
  }

  peers(): readonly PeerChain[] {
    const distinct: PeerChain[] = [];
    for (const { peer } of this.#connections)
      if (peer.length > 0 && !distinct.some((other) => isSameChain(other, peer))) distinct.push(peer);
    return distinct;
  }

  cut(chains: readonly PeerChain[], error: GatewayError): CutCount {
    this.#options.forgetSessions?.();
    const showed = ({ peer }: Connection): boolean =>
      peer.length > 0 && chains.some((chain) => isSameChain(chain, peer));
    const connections = [...this.#connections].filter(showed);
    const requests = [...this.#running].filter(({ connection }) => connection && connections.includes(connection));
    for (const exchange of requests) exchange.fail(error);
    for (const { socket } of connections) socket.destroy();
    return { connections: connections.length, requests: requests.length };
  }

  end(group: object, error: GatewayError): number {
    const ended = [...this.#running].filter((exchange) => exchange.group === group);
    for (const exchange of ended) exchange.fail(error);
    return ended.length;
  }

  async drain(deadlineMs: number): Promise<number> {
    this.#close();
    if (this.#running.size > 0) await this.#untilIdle(deadlineMs);
    const late = new GatewayError('drain_timeout', 'the channel was closed and its time to finish is over');
    const cut = this.#fail(late);
    await (this.#gone ??= this.#letGo(late, cut));
    return cut;
  }

  destroy(error: GatewayError): CutCount {
    if (this.#gone) return { connections: 0, requests: 0 };
    const connections = this.#connections.size;
    const requests = this.#fail(error);
    this.#close();
    this.#gone = this.#letGo(error, 0);
    return { connections, requests };
  }

  /** Ends what runs; how much that was. */
  #fail(error: GatewayError): number {
    const { size } = this.#running;
    for (const exchange of this.#running) exchange.fail(error);
    return size;
  }

  async #letGo(error: GatewayError, late: number): Promise<void> {
    await this.#pool.destroy(error);
    this.#options.onClosed(late);
  }

  /** From here on nothing is dialled: what waits for a connection is told so while it has not been sent. */
  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.forgetSessions?.();
    for (const refuse of this.#dialing) refuse();
    this.#ready.close();
  }

  finished(exchange: Exchange): void {
    this.#running.delete(exchange);
    if (this.#running.size === 0) this.#idle?.();
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#options.clock.after(delayMs, task);
  }

  #untilIdle(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = Number.isFinite(deadlineMs) ? this.after(deadlineMs, resolve) : undefined;
      const others = this.#idle;
      this.#idle = () => {
        cancel?.();
        others?.();
        resolve();
      };
    });
  }

  #dialAhead(): Promise<void> {
    return new Promise((resolve) => {
      this.#dial((_, connection) => {
        if (connection) this.#ready.keep(connection);
        resolve();
      });
    });
  }

  /** For undici: a connection that is open already, else a new one. */
  readonly #connect: Connect = (done) => {
    const ready = this.#closed ? undefined : this.#ready.take();
    if (ready === undefined) return this.#dial(done);
    queueMicrotask(() => done(undefined, ready));
    return () => ready.socket.destroy();
  };

  readonly #dial: Connect = (done) => {
    if (this.#closed) {
      queueMicrotask(() => done(unsent(), undefined));
      return () => {};
    }
    const giveUp = this.#options.connect((error, connection) => {
      this.#dialing.delete(refuse);
      if (connection) this.#track(connection);
      done(error, connection);
    });
    const refuse = (): void => {
      this.#dialing.delete(refuse);
      giveUp();
      done(unsent(), undefined);
    };
    this.#dialing.add(refuse);
    return giveUp;
  };

  #track(connection: Connection): void {
    this.#connections.add(connection);
    connection.socket.once('close', () => this.#connections.delete(connection));
  }
}

const unsent = (): GatewayError => new GatewayError('channel_closed', 'the channel takes no new requests');

function isSameChain(a: PeerChain, b: PeerChain): boolean {
  return a === b || (a.length === b.length && a.every((der, index) => equalBytes(der, b[index] ?? new Uint8Array())));
}

/** An undici client that tells each exchange which socket carries it. */
class TrackingClient extends Client {
  readonly #line: { connection: Connection | undefined };

  constructor(origin: URL, connect: Connect, headersTimeoutMs: number) {
    const line: { connection: Connection | undefined } = { connection: undefined };
    super(origin, {
      connect: (_target, done) => {
        connect((error, connection) => {
          line.connection = connection;
          if (connection) done(null, connection.socket);
          else done(error ?? new GatewayError('internal', 'a connection attempt ended with neither outcome'), null);
        });
      },
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: MAX_IDLE_MS,
      headersTimeout: headersTimeoutMs,
      // An event stream may be silent for hours; readers have their own deadlines.
      bodyTimeout: 0,
    });
    this.#line = line;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Exchange): boolean {
    handler.line = this.#line;
    // A request undici refuses outright makes the pool count this client as busy for ever.
    return super.dispatch(options, handler) || handler.refused;
  }
}
