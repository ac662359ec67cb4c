/**
 * http: the gateway as one fetch handler.
 *
 * Owns routes, statuses, bodies and who is asked for a credential where. The only room that knows HTTP statuses.
 */
import { Hono } from 'hono';
import { SingleFlight } from '../base/single-flight.ts';
import { GatewayError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import type { EventSink } from '../base/events.ts';
import { joinedServer, singleServer } from '../catalog/virtual-server.ts';
import type { VirtualServer } from '../catalog/virtual-server.ts';
import type { Principal } from '../identity/principal.ts';
import { decide } from '../policy/grant.ts';
import type { Action, Grant } from '../policy/grant.ts';
import type { Registry } from '../registry/registry.ts';
import type { RegistrySnapshot } from '../registry/snapshot.ts';
import type { LegacySessions } from '../session/legacy-sessions.ts';
import { preflightAnswer, readableByPage } from './cors.ts';
import type { HttpEnv } from './env.ts';
import { answerMcp } from './mcp/endpoint.ts';
import type { McpServices } from './mcp/exchange.ts';
import { Origins } from './origins.ts';
import { problemAnswer } from './problem.ts';
import { readText } from './read-text.ts';

export interface AppOptions {
  readonly registry: Registry;
  readonly sessions: LegacySessions;
  /**
   * The caller of a request.
   *
   * @throws GatewayError unauthenticated, token_expired
   */
  readonly authenticate: (authorization: string | undefined) => Principal | Promise<Principal>;
  /** Routes for administrators; every request to them has a Grant. */
  readonly api: Hono<HttpEnv>;
  /** /health and /ready, open to everyone, and the text behind /metrics. */
  readonly health: Hono;
  readonly metricsText: () => string;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Host names beside the loopback ones. */
  readonly allowedHosts: readonly string[];
  readonly serverInfo: McpServices['serverInfo'];
}

/** The longest MCP message taken from a caller. */
const MESSAGE_BYTES = 16 * 1024 * 1024;

type Authorized = { readonly principal: Principal; readonly grant: Grant };

/** The whole gateway as `(request) => response`; it never rejects. */
export function createApp(options: AppOptions): (request: Request) => Response | Promise<Response> {
  const { registry, events } = options;
  const origins = new Origins(options.allowedHosts);
  const services: McpServices = { ...options, renewals: new SingleFlight() };

  const authorize = async (request: Request, action: Action): Promise<Authorized> => {
    const recognised = options.authenticate(request.headers.get('authorization') ?? undefined);
    const principal = recognised instanceof Promise ? await recognised : recognised;
    const decision = decide(principal, action);
    if (!decision.allowed) throw new GatewayError('forbidden', decision.reason);
    return { principal, grant: decision.grant };
  };

  const mcp = async (request: Request, findServer: () => VirtualServer): Promise<Response> => {
    const preflight = preflightAnswer(request);
    if (preflight) return preflight;
    const { principal, grant } = await authorize(request, { kind: 'mcp' });
    const server = findServer();
    const text = request.method === 'POST' ? await readText(request, MESSAGE_BYTES) : '';
    const exchange = { request, server, grant, subject: principal.subject, text };
    return answerMcp(services, exchange, ({ code, message }) =>
      events('request.failed', { code, message, path: '/mcp' }),
    );
  };

  const joinedServers = new WeakMap<RegistrySnapshot, VirtualServer>();
  const everything = (): VirtualServer => {
    const snapshot = registry.snapshot();
    const known = joinedServers.get(snapshot);
    if (known) return known;
    const server = joinedServer(snapshot.entries.filter((entry) => entry.enabled));
    joinedServers.set(snapshot, server);
    return server;
  };
  const named = (name: string): VirtualServer => {
    const snapshot = registry.snapshot();
    const entry = snapshot.bySlug(name) ?? snapshot.byId(name);
    if (entry?.enabled) return singleServer(entry);
    throw new GatewayError('not_found', `no active server is called ${name}`);
  };

  const app = new Hono<HttpEnv>({ strict: false });
  app.onError((error, c) => problemAnswer(error, { path: c.req.path, events }));
  app.notFound((c) =>
    problemAnswer(new GatewayError('not_found', `nothing is at ${c.req.path}`), { path: c.req.path, events }),
  );
  for (const path of ['/mcp', '/mcp/http'])
    app.all(path, async (c) => readableByPage(c.req.raw, await mcp(c.req.raw, everything)));
  app.all('/servers/:server/mcp', async (c) =>
    readableByPage(c.req.raw, await mcp(c.req.raw, () => named(c.req.param('server')))),
  );
  app.route('/', options.health);
  app.get('/metrics', async (c) => {
    await authorize(c.req.raw, { kind: 'metrics' });
    return c.body(options.metricsText(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
  app.use('*', async (c, next) => {
    const { principal, grant } = await authorize(c.req.raw, { kind: 'admin' });
    c.set('principal', principal);
    c.set('grant', grant);
    await next();
  });
  app.route('/', options.api);

  return (request) => {
    try {
      origins.check(request);
      return app.fetch(request);
    } catch (error) {
      return problemAnswer(error, { path: new URL(request.url).pathname, events });
    }
  };
}
