/**
 * A real MCP server for tests, on the official SDK behind node:http or node:https, which keeps a log of every request
 * together with the client certificate it came with.
 */
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import { legacyHandler, sseHandler, type LegacyOptions, type WebHandler } from './legacy-handlers.ts';
import { buildFixture, type FixtureOptions, type FixtureState } from './mcp-fixture.ts';

export interface McpUpstreamTls {
  /** PEM; a chain, leaf first. */
  readonly cert: string;
  readonly key: string;
  /** PEM anchors of client certificates. */
  readonly ca?: string | undefined;
  /** True refuses callers without an accepted certificate; `optional` asks and logs. Default false. */
  readonly requireClientCertificate?: boolean | 'optional' | undefined;
  readonly minVersion?: ServerOptions['minVersion'];
  readonly maxVersion?: ServerOptions['maxVersion'];
  /** PEM CRLs for client certificates. */
  readonly crl?: string | string[] | undefined;
  readonly ciphers?: string | undefined;
}

export interface McpUpstreamOptions extends FixtureOptions, LegacyOptions {
  readonly tls?: McpUpstreamTls | undefined;
  /** Which protocol generations are served; default `dual`. The `sse` transport is always legacy. */
  readonly era?: 'dual' | 'legacy' | 'modern' | undefined;
  /** Default `streamable-http`; `sse` is the HTTP+SSE transport of 2024-11-05. */
  readonly transport?: 'streamable-http' | 'sse' | undefined;
  /** Milliseconds before each request is looked at; default 0. */
  readonly delayMs?: number | undefined;
  /** Default 127.0.0.1. */
  readonly listenHost?: string | undefined;
  /** Default 0, any free port. */
  readonly port?: number | undefined;
}

export interface LoggedRequest {
  readonly httpMethod: string;
  readonly path: string;
  /** The JSON-RPC method; undefined for GET, DELETE and for responses. */
  readonly rpcMethod: string | undefined;
  readonly rpcId: string | number | undefined;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly headers: IncomingHttpHeaders;
  /** CN of the client certificate. */
  readonly clientSubject: string | undefined;
  /** Whether the client certificate was accepted; false on plain HTTP. */
  readonly authorized: boolean;
  /** Whether the connection resumed an earlier TLS session. */
  readonly resumed: boolean;
}

/** Answers a request in the server's place, or passes it on with undefined. */
export type Intercept = (request: LoggedRequest) => Response | undefined | Promise<Response | undefined>;

export interface McpUpstream {
  /** The MCP address: `…/mcp`, or `…/sse` with the sse transport. */
  readonly url: string;
  readonly origin: string;
  /** Host and port. */
  readonly host: string;
  readonly port: number;
  /** Every request so far, in order of arrival. */
  readonly requests: LoggedRequest[];
  /** The requests with this JSON-RPC method. */
  requestsOf(rpcMethod: string): LoggedRequest[];
  /** TCP connections accepted so far. */
  readonly connections: number;
  /** TLS handshakes completed so far. */
  readonly handshakes: number;
  /** Codes of TLS handshakes that failed here. */
  readonly tlsErrors: string[];
  /** Legacy sessions or SSE streams that are open. */
  readonly sessions: number;
  /** Set to answer requests by hand: redirects, 401, HTML, … */
  intercept: Intercept | undefined;
  /** Calls of the tool `hold` that wait. */
  readonly held: number;
  /** Whether a call of `hold` with this text waits. */
  isHolding(text: string): boolean;
  /** Resolves once `count` calls of `hold` wait. */
  untilHeld(count: number): Promise<void>;
  /** Lets all waiting `hold` calls answer. */
  release(): void;
  /** Forgets every legacy session, as a restarted server would. */
  loseSessions(): Promise<void>;
  /** Sends notifications/resources/updated to every open session and subscription. */
  updateResource(uri: string): Promise<void>;
  /** Pings every open legacy session; resolves once all have answered. */
  pingSessions(): Promise<void>;
  /** Resolves once `count` sessions are open. */
  untilSessions(count: number): Promise<void>;
  /** Resolves once `count` streams for unasked messages were opened, the one the gateway keeps for itself among them. */
  untilListened(count?: number): Promise<void>;
  /** Serves new connections with other TLS material; open ones stay as they are. */
  replaceTls(tls: McpUpstreamTls): void;
  /** Closes every connection now; the server goes on listening. */
  dropConnections(): void;
  close(): Promise<void>;
}

type NodeHandler = (req: IncomingMessage, res: ServerResponse, body: unknown) => Promise<void>;

const MAX_BODY_BYTES = 64 * 1024 * 1024;
// IncomingMessage satisfies the adapter but for exactOptionalPropertyTypes
const nodeHandler = (fetch: WebHandler) =>
  toNodeHandler({ fetch }, { maxRequestBodySize: MAX_BODY_BYTES }) as NodeHandler;

/** Starts a server; close it in a `finally` or an `afterEach`. */
export async function startMcpUpstream(options: McpUpstreamOptions = {}): Promise<McpUpstream> {
  const requests: LoggedRequest[] = [];
  const sockets = new Set<Socket>();
  const tlsErrors: string[] = [];
  const heldWaiters: { count: number; resolve: () => void }[] = [];
  const counts = { connections: 0, handshakes: 0 };
  const state: FixtureState = {
    held: new Map(),
    changed: false,
    onHeld() {
      for (const waiter of heldWaiters) if (state.held.size >= waiter.count) waiter.resolve();
    },
    onToolsChanged: () => undefined,
  };
  const build = () => buildFixture(options, state);

  const modern = createMcpHandler(build, { legacy: 'reject', ...(options.jsonResponses && { responseMode: 'json' }) });
  const legacy = legacyHandler(build, options);
  const sse = sseHandler(build);
  state.onToolsChanged = () => {
    modern.notify.toolsChanged();
    for (const server of [...legacy.servers(), ...sse.servers()]) void server.sendToolListChanged().catch(() => {});
  };

  const era = options.era ?? 'dual';
  const serve: WebHandler = async (request, extra) => {
    const isLegacy = era === 'legacy' || (era === 'dual' && (await isLegacyRequest(request, extra?.parsedBody)));
    return isLegacy ? legacy.handle(request, extra) : modern.fetch(request, extra);
  };
  const streamableHttp = nodeHandler(serve);

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await readBody(req);
    const logged = logOf(req, body);
    requests.push(logged);
    if (options.delayMs) await new Promise((resolve) => setTimeout(resolve, options.delayMs));
    const answer = await upstream.intercept?.(logged);
    if (answer) return nodeHandler(async () => answer)(req, res, body);
    if (options.transport === 'sse') return sse.handle(req, res, body);
    if (logged.path.split('?')[0] !== '/mcp') return void res.writeHead(404).end('not found');
    await streamableHttp(req, res, body);
  };
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    handle(req, res).catch((error: unknown) => {
      if (error instanceof SyntaxError && !res.headersSent) res.writeHead(400).end('the body is not JSON');
      else res.destroy();
    });
  };

  const server = options.tls ? createHttpsServer(tlsOptions(options.tls), listener) : createHttpServer(listener);
  server.on('connection', (socket: Socket) => {
    counts.connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', () => counts.handshakes++);
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => tlsErrors.push(error.code ?? error.message));
  const listenHost = options.listenHost ?? '127.0.0.1';
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, listenHost, resolve));
  const { port } = server.address() as AddressInfo;
  const host = `${listenHost}:${port}`;
  const origin = `${options.tls ? 'https' : 'http'}://${host}`;

  const upstream: McpUpstream = {
    url: origin + (options.transport === 'sse' ? '/sse' : '/mcp'),
    origin,
    host,
    port,
    requests,
    requestsOf: (rpcMethod) => requests.filter((request) => request.rpcMethod === rpcMethod),
    get connections() {
      return counts.connections;
    },
    get handshakes() {
      return counts.handshakes;
    },
    tlsErrors,
    get sessions() {
      return legacy.servers().length + sse.servers().length;
    },
    intercept: undefined,
    get held() {
      return state.held.size;
    },
    isHolding: (text) => [...state.held.values()].includes(text),
    untilHeld: (count) =>
      state.held.size >= count
        ? Promise.resolve()
        : new Promise((resolve) => void heldWaiters.push({ count, resolve })),
    release() {
      for (const resolve of state.held.keys()) resolve();
      state.held.clear();
    },
    loseSessions: () => legacy.closeAll().then(() => sse.closeAll()),
    async updateResource(uri) {
      modern.notify.resourceUpdated(uri);
      for (const open of [...legacy.servers(), ...sse.servers()]) await open.sendResourceUpdated({ uri });
    },
    async pingSessions() {
      for (const open of [...legacy.servers(), ...sse.servers()]) await open.ping();
    },
    async untilSessions(count) {
      while (upstream.sessions !== count) await new Promise(setImmediate);
    },
    async untilListened(count = 1) {
      const listening = () =>
        requests.filter(({ httpMethod, rpcMethod }) => httpMethod === 'GET' || rpcMethod === 'subscriptions/listen');
      while (listening().length < count) await new Promise(setImmediate);
    },
    replaceTls: (tls) => (server as HttpsServer).setSecureContext(tlsOptions(tls)),
    dropConnections() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      upstream.release();
      await Promise.all([modern.close(), legacy.closeAll(), sse.closeAll()]);
      const closed = new Promise((resolve) => server.close(resolve));
      upstream.dropConnections();
      await closed;
    },
  };
  return upstream;
}

function tlsOptions(tls: McpUpstreamTls): ServerOptions {
  const { requireClientCertificate, ...rest } = tls;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...given,
    ...(requireClientCertificate && {
      requestCert: true,
      rejectUnauthorized: requireClientCertificate === true,
    }),
  };
}

async function readBody(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  if (chunks.length === 0) return undefined;
  return JSON.parse(Buffer.concat(chunks).toString());
}

function logOf(req: IncomingMessage, body: unknown): LoggedRequest {
  const message = (body ?? {}) as { method?: string; id?: string | number; params?: Record<string, unknown> };
  const tls = req.socket instanceof TLSSocket ? req.socket : undefined;
  const subject: unknown = tls?.getPeerCertificate().subject?.CN;
  return {
    httpMethod: req.method ?? '',
    path: req.url ?? '',
    rpcMethod: message.method,
    rpcId: message.id,
    params: message.params,
    headers: req.headers,
    clientSubject: typeof subject === 'string' ? subject : undefined,
    authorized: tls?.authorized ?? false,
    resumed: tls?.isSessionReused() ?? false,
  };
}
