import type { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, createSecureServer, createServer as createHttp2Server } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { Cancellation, GatewayError } from '../../../src/index.ts';
import type { FetchHandler, SocketHandler } from '../../../src/index.ts';
import { acceptHttp2 } from './http1-or-http2.ts';
import type { ListenerIdentity } from './identity.ts';
import { UpgradableMessage, WebSockets } from './web-sockets.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 picks one. */
  readonly port: number;
  /** TLS where given, with HTTP/2 and HTTP/1.1 by ALPN; else both in plain text. */
  readonly identity?: ListenerIdentity | undefined;
  readonly fetch: FetchHandler;
  /** Where given, requests to become a WebSocket are taken, over HTTP/1.1. */
  readonly webSocket?: SocketHandler;
}

export interface Listener {
  readonly port: number;
  /** Requests that were not answered in full, and WebSockets. */
  readonly inFlight: number;
  /** What it presents; undefined without TLS. */
  readonly identity: ListenerIdentity | undefined;
  /** Presents another certificate from the next connection on; open ones stay. */
  present(identity: ListenerIdentity): void;
  /** Stops accepting, lets requests in flight finish, cuts what is left after `deadlineMs`; resolves with that count. */
  close(deadlineMs: number): Promise<number>;
}

type Incoming = IncomingMessage | Http2ServerRequest;
type Outgoing = ServerResponse | Http2ServerResponse;

/** Time limits for a request to arrive; an answer may take, and stream, as long as it needs. */
const LIMITS = {
  headersTimeout: 30_000,
  requestTimeout: 120_000,
  // above the 60 s of common balancers, so that they and not we end an idle connection they are about to use
  keepAliveTimeout: 75_000,
  maxHeaderSize: 32 * 1024,
  noDelay: true,
};
const HANDSHAKE_MS = 10_000;
const HTTP2_SETTINGS = { maxConcurrentStreams: 256, maxHeaderListSize: LIMITS.maxHeaderSize };

/**
 * Serves `fetch` over HTTP/1.1 and HTTP/2.
 *
 * @throws GatewayError config_invalid when the address cannot be listened on
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const listener = new NodeListener(options);
  await listener.listen(options);
  return listener;
}

class NodeListener implements Listener {
  readonly #server: ListeningServer;
  /** What aborts when the caller of a request goes away. */
  readonly #running = new Map<Outgoing, Cancellation>();
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #port = 0;
  #identity: ListenerIdentity | undefined;
  readonly #webSockets: WebSockets | undefined;
  #finished: (() => void) | undefined;

  constructor({ host, identity, fetch, webSocket }: ListenerOptions) {
    const answer = getRequestListener((request, { outgoing }) => fetch(request, this.#running.get(outgoing)), {
      hostname: host,
    });
    const handle = (incoming: Incoming, outgoing: Outgoing): void => {
      this.#track(outgoing);
      if ('stream' in outgoing) endSlowUpload(incoming, outgoing);
      void answer(incoming, outgoing);
    };
    const { server, http2 } = identity ? createTlsServer(identity, handle) : createPlainServer(handle);
    http2.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      session.setTimeout(LIMITS.keepAliveTimeout, () => {
        if (!this.#isBusy(session)) session.destroy();
      });
    });
    this.#server = server;
    this.#identity = identity;
    if (webSocket) {
      this.#webSockets = new WebSockets(webSocket, () => this.#onIdle());
      server.on('upgrade', this.#webSockets.upgrade);
    }
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
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

  present(identity: ListenerIdentity): void {
    this.#identity = identity;
    this.#server.setSecureContext?.(secureOptions(identity));
  }

  async close(deadlineMs: number): Promise<number> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    for (const session of this.#sessions) session.close();
    for (const outgoing of this.#running.keys()) endConnectionAfter(outgoing);
    await this.#finish(deadlineMs);
    const cut = this.inFlight;
    if (cut > 0) for (const socket of this.#sockets) socket.destroy();
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
    return cut;
  }

  #isBusy(session: ServerHttp2Session): boolean {
    for (const outgoing of this.#running.keys())
      if ('stream' in outgoing && outgoing.stream?.session === session) return true;
    return false;
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

  #track(outgoing: Outgoing): void {
    const gone = new Cancellation();
    const leave = (): void => gone.abort(new GatewayError('call_cancelled', 'the caller went away'));
    this.#running.set(outgoing, gone);
    if (this.#finished) endConnectionAfter(outgoing);
    // an HTTP/2 response counts as finished also when its stream was reset
    if ('stream' in outgoing) outgoing.stream?.once('aborted', leave);
    outgoing.once('close', () => {
      this.#running.delete(outgoing);
      if (!outgoing.writableFinished) leave();
      this.#onIdle();
    });
  }
}

/** Tells an HTTP/1.1 client not to use the connection again; HTTP/2 clients were told by GOAWAY. */
function endConnectionAfter(outgoing: Outgoing): void {
  if (!('stream' in outgoing) && !outgoing.headersSent) outgoing.setHeader('connection', 'close');
}

/** What `requestTimeout` is to HTTP/1.1: a body that does not arrive in time ends its stream. */
function endSlowUpload(incoming: Incoming, outgoing: Http2ServerResponse): void {
  const timer = setTimeout(() => {
    if (!incoming.readableEnded) outgoing.stream?.close(constants.NGHTTP2_CANCEL);
  }, LIMITS.requestTimeout);
  timer.unref();
  outgoing.once('close', () => clearTimeout(timer));
}

type Handle = (incoming: Incoming, outgoing: Outgoing) => void;

/** What listens, and what speaks HTTP/2 there: the same server under TLS, where ALPN decides. */
interface Servers {
  readonly server: ListeningServer;
  readonly http2: EventEmitter;
}

interface ListeningServer extends Server {
  setSecureContext?(options: SecureContextOptions): void;
  closeIdleConnections(): void;
}

function createPlainServer(handle: Handle): Servers {
  const server = createServer({ ...LIMITS, IncomingMessage: UpgradableMessage }, handle);
  const http2 = createHttp2Server({ settings: HTTP2_SETTINGS }, handle);
  acceptHttp2(server, http2, LIMITS.headersTimeout);
  return { server, http2 };
}

function createTlsServer(identity: ListenerIdentity, handle: Handle): Servers {
  const http1 = { allowHTTP1: true, Http1IncomingMessage: UpgradableMessage };
  const limits = { ...LIMITS, ...http1, settings: HTTP2_SETTINGS, handshakeTimeout: HANDSHAKE_MS };
  // closeIdleConnections is there from Node 22 on; its types lag behind
  const server = createSecureServer({ ...limits, ...secureOptions(identity) }, handle) as unknown as ListeningServer;
  return { server, http2: server };
}

function secureOptions({ chainPem, privateKey, minVersion }: ListenerIdentity): SecureContextOptions {
  return { cert: chainPem, key: privateKey.reveal(), minVersion };
}

/** Node takes IPv6 addresses without the brackets URLs need. */
const unbracketed = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

function cannotListen(host: string, port: number, { code = 'unknown' }: NodeJS.ErrnoException): GatewayError {
  const reason = code === 'EADDRINUSE' ? 'another process listens there' : code;
  return new GatewayError('config_invalid', `cannot listen on ${host} port ${port}: ${reason}`, {
    hint: 'choose another --port or --host; --port 0 picks a free port',
  });
}
