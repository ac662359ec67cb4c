/**
 * http: the gateway as one fetch handler.
 *
 * Owns routes, statuses, bodies and who is asked for a credential where. The only room that knows HTTP statuses.
 */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Servers } from '../catalog/servers.ts';
import type { Authenticate } from './access.ts';
import { accountForChanges } from './admin-account.ts';
import { incomingOf, requireGrant } from './access.ts';
import type { CallerConnection } from '../identity/credentials.ts';
import { adminActionOf } from './api/admin-action.ts';
import { API_PATHS } from './api/api.ts';
import { preflightAnswer, readableByPage } from './cors.ts';
import type { Arrival, HttpEnv } from './env.ts';
import { ForwardedHeaders } from './forwarded.ts';
import { mcpAddress } from './mcp/address.ts';
import { Admission } from './mcp/admission.ts';
import type { AdmissionOptions } from './mcp/admission.ts';
import type { McpAddressOptions } from './mcp/address.ts';
import { METADATA_PATH } from './mcp/protected-resource.ts';
import type { ProtectedResources } from './mcp/protected-resource.ts';
import { isSocketPath, pipeRoutes } from './mcp/pipe/pipe-routes.ts';
import { everythingIn, serverNamed } from './mcp/servers.ts';
import type { FindServer } from './mcp/servers.ts';
import type { AcceptedSocket } from './mcp/pipe/socket-port.ts';
import { Origins } from './origins.ts';
import { problemAnswer } from './problem.ts';
import { securityHeaders } from './security-headers.ts';
import type { SecurityHeaderSettings } from './security-headers.ts';

export interface AppOptions extends Omit<McpAddressOptions, 'admission'>, AdmissionOptions {
  readonly servers: Servers;
  /** For administration and metrics. */
  readonly authenticateOperator: Authenticate;
  /** Whether a peer is believed what it says of others. Never throws or rejects. */
  readonly believes: (connection: CallerConnection | undefined) => boolean | Promise<boolean>;
  /** The header in which proxies name callers. */
  readonly proxyUserHeader: string;
  /** The MCP addresses as tokens name them. */
  readonly resources: ProtectedResources;
  /** Routes for administrators. */
  readonly api: Hono<HttpEnv>;
  /** /health and /ready, open to everyone. */
  readonly health: Hono;
  readonly metricsText: () => string;
  readonly events: EventSink;
  readonly securityHeaders: SecurityHeaderSettings;
  /** Throws where nothing may be changed. */
  readonly refuseUnrecorded: () => void;
  /** Host names beside the loopback ones. */
  readonly allowedHosts: readonly string[];
}

/** Answers one request; never rejects. */
export type FetchHandler = (request: Request, arrival?: Arrival) => Response | Promise<Response>;

const PROBES = new Set(['/health', '/ready']);
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Decides on one request to become a WebSocket: what serves it, or the answer that refuses it; never rejects. WebSocket
 * needs HTTP/1.1; nothing is offered over HTTP/2.
 */
export type SocketHandler = (
  request: Request,
  arrival?: Pick<Arrival, 'connection' | 'rawHeaders'>,
) => Promise<AcceptedSocket | Response>;

/** The gateway to those who call it. */
export interface App {
  readonly fetch: FetchHandler;
  readonly webSocket: SocketHandler;
  /** Answers to these host names as well from now on, as a new certificate of the listener may bring them. */
  readonly allowHosts: (names: readonly string[]) => void;
}

/** The whole gateway as one handler. */
export function createApp(options: AppOptions): App {
  const { authenticateOperator, believes, events } = options;
  const servers = () => options.servers.snapshot();
  const app = new Hono<HttpEnv>({ strict: false });
  const secured = securityHeaders(options.securityHeaders);
  const { resources } = options;
  app.onError((error, c) => {
    const said = { path: c.req.path, events, caller: c.get('principal'), metadata: resources.metadataOf(c.req.url) };
    return secured(problemAnswer(error, said), c.req.raw);
  });
  app.notFound((c) => {
    const error = new GatewayError('not_found', `nothing is at ${c.req.path}`);
    return secured(problemAnswer(error, { path: c.req.path, events }), c.req.raw);
  });
  for (const path of ['/health', '/ready', '/metrics', ...API_PATHS])
    app.use(path, async (c, next) => {
      await next();
      secured(c.res, c.req.raw);
    });

  const admission = new Admission(options);
  const mcp = mcpAddress({ ...options, admission });
  const everything = everythingIn(servers);
  const named = (name: string) => serverNamed(servers, name);
  const answer = (c: Context<HttpEnv>, find: FindServer) => mcp(incomingOf(c), find, c.env.signal ?? c.req.raw.signal);
  for (const path of ['/mcp', '/mcp/http']) app.all(path, (c) => answer(c, everything));
  app.all('/servers/:server/mcp', (c) => answer(c, named(c.req.param('server'))));
  app.route('/', pipeRoutes({ ...options, admission, answer: mcp }, everything, named));

  app.get(`${METADATA_PATH}/*`, (c) => {
    const metadata = resources.document(c.req.url);
    return metadata === undefined ? c.notFound() : c.json(metadata, 200, { 'cache-control': 'no-store' });
  });

  app.route('/', options.health);
  app.get(
    '/metrics',
    requireGrant(authenticateOperator, () => ({ kind: 'metrics' }), options),
    (c) => c.body(options.metricsText(), 200, { 'content-type': METRICS_TYPE }),
  );
  for (const path of API_PATHS)
    app.use(
      path,
      requireGrant(authenticateOperator, adminActionOf, options),
      accountForChanges(events, options.refuseUnrecorded),
    );
  app.route('/', options.api);

  const origins = new Origins(options.allowedHosts);
  const handle = (request: Request, env: HttpEnv['Bindings']): Response | Promise<Response> => {
    try {
      origins.check(request);
    } catch (error) {
      // probes come under whatever address the machine has, and learn nothing that is not public
      if (PROBES.has(new URL(request.url).pathname)) return app.fetch(request, env);
      return secured(problemAnswer(error, { path: new URL(request.url).pathname, events }), request);
    }
    if (!request.headers.has('origin')) return app.fetch(request, env);
    return (
      preflightAnswer(request) ??
      Promise.resolve(app.fetch(request, env)).then((answer) => readableByPage(request, answer))
    );
  };
  const forwarded = new ForwardedHeaders(options.proxyUserHeader);
  /** The one door: behind it, headers that speak for others are those of a proxy that may. */
  const enter = (request: Request, env: HttpEnv['Bindings']): Response | Promise<Response> => {
    if (!forwarded.areIn(request, env.rawHeaders)) return handle(request, env);
    const heard = (isBelieved: boolean): Response | Promise<Response> =>
      handle(isBelieved ? request : forwarded.stripped(request), env);
    const isBelieved = believes(env.connection);
    return isBelieved instanceof Promise ? isBelieved.then(heard) : heard(isBelieved);
  };
  return {
    allowHosts: (names) => origins.allow(names),
    fetch: (request, arrival = {}) => enter(request, arrival),
    webSocket: async (request, arrival) => {
      const path = new URL(request.url).pathname;
      if (!isSocketPath(path))
        return problemAnswer(new GatewayError('not_found', `no WebSocket is at ${path}`), { path, events });
      let accepted: AcceptedSocket | undefined;
      const answer = await enter(request, { ...arrival, onSocket: (socket) => void (accepted = socket) });
      return accepted ?? answer;
    },
  };
}
