import type { IncomingMessage } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { Cancellation, GatewayError } from '../../../src/index.ts';
import type { Arrival, EventSink, FetchHandler, OcspGuard, SocketHandler } from '../../../src/index.ts';
import { systemClock } from '../clock.ts';
import type { Runtime, TlsTraits } from '../runtime.ts';
import { cannotListen, unbracketed } from './address.ts';
import { CallerConnections } from './caller-connections.ts';
import { Callers } from './callers.ts';
import { Connections } from './connections.ts';
import { tellHandshake } from './handshakes.ts';
import type { ListenerIdentity } from './identity.ts';
import { reportFailedHandshakes } from './refusals.ts';
import { presentOn } from './secure-options.ts';
import { hasTooManyHeaders, refuseHeaders } from './many-headers.ts';
import { HANDSHAKE_MS, NO_REQUEST_MS } from './servers.ts';
import { createPlainServer, createTlsServer, endSlowUpload, isSecure } from './servers.ts';
import type { Incoming, ListeningServer, Outgoing, StapleOf } from './servers.ts';
import { WebSockets } from './web-sockets.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 picks one. */
  readonly port: number;
  /** TLS where given, with HTTP/2 and HTTP/1.1 by ALPN; else both in plain text. */
  readonly identity?: ListenerIdentity | undefined;
  readonly fetch: FetchHandler;
  /** Where given, requests to become a WebSocket are taken, over HTTP/1.1. */
  readonly webSocket?: SocketHandler;
  readonly events?: EventSink;
  /** Where given, callers' certificates are looked up by OCSP. */
  readonly ocsp?: OcspGuard | undefined;
  /** Connections at a time; default any number. */
  readonly maxConnections?: number;
  /** Where given, asked at each handshake whose client wants to know. */
  readonly stapleOf?: StapleOf | undefined;
}

export interface Listener {
  readonly port: number;
  /** Requests that were not answered in full, and WebSockets. */
  readonly inFlight: number;
  /** What it presents; undefined without TLS. */
  readonly identity: ListenerIdentity | undefined;
  /**
   * Presents another identity from the next connection on. Open connections stay, but for those of callers whose own
   * certificate does not hold (any more) under its client CAs and revocation lists, or has expired: they are cut, and
   * what resolves is how many. To present the same identity again judges them anew.
   *
   * @throws GatewayError capability_unsupported, config_invalid; nothing has changed then
   */
  present(identity: ListenerIdentity): Promise<number>;
  /** Stops accepting, lets requests in flight finish, cuts what is left after `deadlineMs`; resolves with that count. */
  close(deadlineMs: number): Promise<number>;
}

/** How long a peer may take to end an HTTP/2 connection that was told to end and has no streams any more. */
const GOODBYE_MS = 1000;

/**
 * Serves `fetch` over HTTP/1.1 and HTTP/2.
 *
 * @throws GatewayError config_invalid when the address cannot be listened on
 */
export async function openListener(runtime: Pick<Runtime, 'tls'>, options: ListenerOptions): Promise<Listener> {
  const listener = new NodeListener(runtime.tls, options);
  await listener.listen(options);
  return listener;
}

class NodeListener implements Listener {
  readonly #server: ListeningServer;
  readonly #traits: TlsTraits;
  /** What is known of the caller of a request; its signal aborts when it goes away. */
  readonly #running = new Map<Outgoing, Arrival>();
  /** TCP connections, handshakes under way among them. */
  readonly #sockets = new Set<Socket>();
  /** What HTTP is spoken over: the same, or TLS connections over them. */
  readonly #served = new Set<Socket>();
  readonly #connections = new Connections(systemClock);
  readonly #sessions = new Set<ServerHttp2Session>();
  #port = 0;
  #identity: ListenerIdentity | undefined;
  readonly #callers: Callers | undefined;
  readonly #webSockets: WebSockets | undefined;
  #finished: (() => void) | undefined;
  /** Once everything was answered, and from then on nothing is. */
  #isOver = false;

  constructor(traits: TlsTraits, options: ListenerOptions) {
    const { host, identity, fetch, webSocket, ocsp, stapleOf, events = () => undefined } = options;
    const { maxConnections = Number.POSITIVE_INFINITY } = options;
    const answer = getRequestListener((request, { outgoing }) => fetch(request, this.#running.get(outgoing)), {
      hostname: host,
    });
    const handle = (incoming: Incoming, outgoing: Outgoing): void => {
      // on a connection that is about to end; what was never begun can be sent again
      if (this.#isOver) return;
      if (hasTooManyHeaders(incoming)) return refuseHeaders(outgoing);
      this.#track(incoming, outgoing, connections.of(incoming));
      if ('stream' in outgoing) endSlowUpload(incoming, outgoing);
      void answer(incoming, outgoing);
    };
    const trust = identity?.callers;
    const connections = new CallerConnections();
    const callers =
      trust && new Callers({ trust, traits, handshakeMs: HANDSHAKE_MS, clock: systemClock, events, ocsp });
    const { server, http1, http2 } = identity
      ? createTlsServer(identity, { traits, callers, stapleOf }, handle)
      : createPlainServer(handle);
    http2.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
    if (identity) reportFailedHandshakes(server, events);
    if (identity && !callers) server.on('secureConnection', (socket) => tellHandshake(socket, undefined, events));
    this.#server = server;
    this.#traits = traits;
    this.#identity = identity;
    this.#callers = callers;
    if (webSocket) {
      const accept = (request: Request, incoming: IncomingMessage) =>
        webSocket(request, { connection: connections.of(incoming), rawHeaders: incoming.rawHeaders });
      this.#webSockets = new WebSockets(accept, () => this.#onIdle());
      http1.on('upgrade', this.#webSockets.upgrade);
      http1.on('upgrade', (_, socket: Duplex) => this.#connections.leave(socket));
    }
    const served = identity ? 'secureConnection' : 'connection';
    this.#connections.watch(http1, served, http2, NO_REQUEST_MS);
    server.on('connection', (socket: Socket) => {
      // whoever keeps a connection for later makes room; where nobody does, there is none
      if (this.#sockets.size >= maxConnections && !this.#connections.endOne()) return void socket.destroy();
      remember(socket, this.#sockets);
      this.#connections.arrive(socket);
    });
    server.on(served, (socket: Socket) => remember(socket, this.#served));
  }

  listen({ host, port }: ListenerOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(host, port, error)));
      this.#server.listen(port, unbracketed(host), () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  get port(): number {
    return this.#port;
  }

  get inFlight(): number {
    return this.#running.size + (this.#webSockets?.size ?? 0);
  }

  get identity(): ListenerIdentity | undefined {
    return this.#identity;
  }

  async present(identity: ListenerIdentity): Promise<number> {
    const { callers } = identity;
    if (!isSecure(this.#server) || callers?.isRequired !== this.#identity?.callers?.isRequired)
      throw new GatewayError('config_invalid', 'TLS and client-auth cannot change while the gateway runs', {
        hint: 'restart it',
      });
    presentOn(this.#server, identity, this.#traits);
    this.#identity = identity;
    return callers && this.#callers ? this.#callers.hold(callers) : 0;
  }

  async close(deadlineMs: number): Promise<number> {
    this.#server.closeIdleConnections = () => undefined;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#connections.endIdle();
    for (const session of this.#sessions) session.close();
    for (const outgoing of this.#running.keys()) endConnectionAfter(outgoing);
    const endsAtMs = systemClock.monotonicMs() + deadlineMs;
    await this.#finish(deadlineMs);
    this.#isOver = true;
    const cut = this.inFlight;
    if (cut === 0) await this.#flush(endsAtMs - systemClock.monotonicMs());
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    return cut;
  }

  /** What was answered may still be on its way. HTTP/2 ends itself; under TLS, the TCP connection must not end first. */
  async #flush(deadlineMs: number): Promise<void> {
    await allClosed(this.#sessions, Math.min(deadlineMs, GOODBYE_MS));
    for (const socket of this.#served) socket.destroySoon();
    await allClosed(this.#served, deadlineMs);
  }

  #finish(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#finished = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#onIdle();
    });
  }

  #onIdle(): void {
    if (this.inFlight === 0) this.#finished?.();
  }

  #track(incoming: Incoming, outgoing: Outgoing, caller: Arrival['connection']): void {
    const { socket, rawHeaders } = incoming;
    const gone = new Cancellation();
    const leave = (): void => gone.abort(new GatewayError('call_cancelled', 'the caller went away'));
    this.#running.set(outgoing, { signal: gone, connection: caller, rawHeaders });
    const connection = ('stream' in incoming ? incoming.stream.session : undefined) ?? socket;
    this.#connections.begin(connection);
    if (this.#finished) endConnectionAfter(outgoing);
    // an HTTP/2 response counts as finished also when its stream was reset
    if ('stream' in outgoing) outgoing.stream?.once('aborted', leave);
    outgoing.once('close', () => {
      this.#running.delete(outgoing);
      this.#connections.end(connection);
      if (!outgoing.writableFinished) leave();
      this.#onIdle();
    });
  }
}

function remember(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

/** Resolves once all of them have closed, or after `deadlineMs`. */
async function allClosed(open: ReadonlySet<Socket | ServerHttp2Session>, deadlineMs: number): Promise<void> {
  const closed = [...open].map((one) => new Promise((resolve) => one.once('close', resolve)));
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, Math.max(0, deadlineMs));
  await Promise.race([Promise.all(closed), late.promise]);
  clearTimeout(timer);
}

/** Tells an HTTP/1.1 client not to use the connection again; HTTP/2 clients were told by GOAWAY. */
function endConnectionAfter(outgoing: Outgoing): void {
  if (!('stream' in outgoing) && !outgoing.headersSent) outgoing.setHeader('connection', 'close');
}
