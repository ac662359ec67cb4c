import type { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, createSecureServer, createServer as createHttp2Server } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsTraits } from '../runtime.ts';
import type { Callers } from './callers.ts';
import { listenBefore } from './http1-or-http2.ts';
import type { ListenerIdentity } from './identity.ts';
import { presentOn, secureOptions } from './secure-options.ts';
import type { SecureServer } from './secure-options.ts';
import { UpgradableMessage } from './web-sockets.ts';

export type Incoming = IncomingMessage | Http2ServerRequest;
export type Outgoing = ServerResponse | Http2ServerResponse;

/** Time limits for a request to arrive; an answer may take, and stream, as long as it needs. */
const LIMITS = {
  headersTimeout: 30_000,
  requestTimeout: 120_000,
  // above the 60 s of common balancers, so that they and not we end an idle connection they are about to use
  keepAliveTimeout: 75_000,
  // Node's 30 s would give a slow caller a minute for its headers
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 32 * 1024,
  noDelay: true,
};
/** A handshake that took longer is given up, and with it its connection. */
export const HANDSHAKE_MS = 10_000;
/** How long a connection may be without a request, where HTTP/1.1 does not see to it; later than it would. */
export const NO_REQUEST_MS = LIMITS.keepAliveTimeout + LIMITS.headersTimeout;
const HTTP2_SETTINGS = { maxConcurrentStreams: 256, maxHeaderListSize: LIMITS.maxHeaderSize };

/** What `requestTimeout` is to HTTP/1.1: a body that does not arrive in time ends its stream. */
export function endSlowUpload(incoming: Incoming, outgoing: Http2ServerResponse): void {
  const timer = setTimeout(() => {
    if (!incoming.readableEnded) outgoing.stream?.close(constants.NGHTTP2_CANCEL);
  }, LIMITS.requestTimeout);
  timer.unref();
  outgoing.once('close', () => clearTimeout(timer));
}

export type Handle = (incoming: Incoming, outgoing: Outgoing) => void;

/** What listens, and what speaks HTTP there: the same server under TLS, where ALPN decides. */
export interface Servers {
  readonly server: ListeningServer;
  readonly http1: EventEmitter;
  readonly http2: EventEmitter;
}

export interface ListeningServer extends Server {
  closeIdleConnections(): void;
}

export const isSecure = (server: ListeningServer): server is ListeningServer & SecureServer =>
  'setSecureContext' in server;

/** A server for HTTP/1.1 and, with prior knowledge, HTTP/2, both in plain text. */
export function createPlainServer(handle: Handle): Servers {
  const http1 = createServer({ ...LIMITS, IncomingMessage: UpgradableMessage }, handle);
  const http2 = createHttp2Server({ settings: HTTP2_SETTINGS }, handle);
  const server = listenBefore(http1, http2, LIMITS.headersTimeout) as ListeningServer;
  return { server, http1, http2 };
}

/** The OCSP response to show with a certificate, at once; undefined for none. */
export type StapleOf = (certificate: Uint8Array) => Uint8Array | undefined;

interface TlsServerOptions {
  readonly traits: TlsTraits;
  readonly callers: Callers | undefined;
  readonly stapleOf: StapleOf | undefined;
}

/** A server for both over TLS, where ALPN decides. */
export function createTlsServer(
  identity: ListenerIdentity,
  { traits, callers, stapleOf }: TlsServerOptions,
  handle: Handle,
): Servers {
  const http1 = { allowHTTP1: true, Http1IncomingMessage: UpgradableMessage };
  const limits = { ...LIMITS, ...http1, settings: HTTP2_SETTINGS, handshakeTimeout: HANDSHAKE_MS };
  // who may come in `Callers` decides, and says so: Node ends the others before anybody can see who they are
  const asking = identity.callers && { requestCert: true, rejectUnauthorized: false };
  const secure = createSecureServer({ ...limits, ...asking, ...secureOptions(identity) }, handle);
  presentOn(secure, identity, traits);
  // closeIdleConnections is there from Node 22 on; its types lag behind
  const server = secure as unknown as ListeningServer;
  if (callers) admitBy(callers, server);
  if (stapleOf)
    secure.on('OCSPRequest', (shown: Buffer, _: unknown, answer: (error: null, response: unknown) => void) =>
      answer(null, stapleOf(shown)),
    );
  return { server, http1: server, http2: server };
}

/** Stands between the handshake and HTTP. */
function admitBy(callers: Callers, server: Server): void {
  const [serve] = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    const decide = (isAdmitted: boolean): void => {
      if (isAdmitted) serve?.call(server, socket);
      else socket.destroy();
    };
    const admitted = callers.admit(socket);
    if (typeof admitted === 'boolean') decide(admitted);
    else void admitted.then(decide);
  });
}
