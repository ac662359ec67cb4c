/**
 * http: the gateway as one fetch handler.
 *
 * Owns routes, statuses, bodies and who is asked for a credential where. The only room that knows HTTP statuses.
 */
import { Hono } from 'hono';
import type { CancelSignal } from '../base/cancel-signal.ts';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Authenticate } from './access.ts';
import { requireGrant } from './access.ts';
import { preflightAnswer, readableByPage } from './cors.ts';
import type { HttpEnv } from './env.ts';
import { mcpAddress } from './mcp/address.ts';
import type { McpAddressOptions } from './mcp/address.ts';
import { everythingIn, serverNamed } from './mcp/servers.ts';
import { Origins } from './origins.ts';
import { problemAnswer } from './problem.ts';
import type { Registry } from '../registry/registry.ts';

export interface AppOptions extends Omit<McpAddressOptions, 'events'> {
  readonly registry: Registry;
  readonly authenticate: Authenticate;
  /** Routes for administrators. */
  readonly api: Hono<HttpEnv>;
  /** /health and /ready, open to everyone. */
  readonly health: Hono;
  readonly metricsText: () => string;
  readonly events: EventSink;
  /** Host names beside the loopback ones. */
  readonly allowedHosts: readonly string[];
}

/**
 * Answers one request; never rejects.
 *
 * @param signal aborts when the caller goes away before the answer has ended; default is the request's own
 */
export type FetchHandler = (request: Request, signal?: CancelSignal) => Response | Promise<Response>;

/** Where the REST API lives; a request elsewhere is no business of an administrator's. */
const API_PATHS = ['/v1/*', '/gateways/*', '/openapi.json'];
const PROBES = new Set(['/health', '/ready']);
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The whole gateway as one handler. */
export function createApp(options: AppOptions): FetchHandler {
  const { registry, authenticate, events } = options;
  const app = new Hono<HttpEnv>({ strict: false });
  app.onError((error, c) => problemAnswer(error, { path: c.req.path, events }));
  app.notFound((c) => {
    const error = new GatewayError('not_found', `nothing is at ${c.req.path}`);
    return problemAnswer(error, { path: c.req.path, events });
  });

  const mcp = mcpAddress(options);
  const everything = everythingIn(() => registry.snapshot());
  for (const path of ['/mcp', '/mcp/http']) app.all(path, (c) => mcp(c, everything));
  app.all('/servers/:server/mcp', (c) => mcp(c, serverNamed(registry.snapshot(), c.req.param('server'))));

  app.route('/', options.health);
  app.get('/metrics', requireGrant(authenticate, { kind: 'metrics' }), (c) =>
    c.body(options.metricsText(), 200, { 'content-type': METRICS_TYPE }),
  );
  for (const path of API_PATHS) app.use(path, requireGrant(authenticate, { kind: 'admin' }));
  app.route('/', options.api);

  const origins = new Origins(options.allowedHosts);
  return (request, signal) => {
    try {
      origins.check(request);
    } catch (error) {
      // probes come under whatever address the machine has, and learn nothing that is not public
      if (PROBES.has(new URL(request.url).pathname)) return app.fetch(request, { signal });
      return problemAnswer(error, { path: new URL(request.url).pathname, events });
    }
    if (!request.headers.has('origin')) return app.fetch(request, { signal });
    return (
      preflightAnswer(request) ??
      Promise.resolve(app.fetch(request, { signal })).then((answer) => readableByPage(request, answer))
    );
  };
}
