import { Hono } from 'hono';
import type { Context } from 'hono';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import { gatewayView } from '../../registry/gateway-view.ts';
import { handshakeView } from '../../registry/handshake-view.ts';
import { parseGatewayCreate, parseGatewayUpdate } from '../../registry/gateway-input.ts';
import type { ChangeOptions, Registry } from '../../registry/registry.ts';
import type { RegisteredGateway } from '../../registry/snapshot.ts';
import type { HttpEnv } from '../env.ts';
import { problemAnswer } from '../problem.ts';
import { pageOf } from './list-gateways.ts';
import { openApiDocument } from './openapi.ts';
import { CREATE_QUERY, LIST_QUERY, REFRESH_QUERY, STATE_QUERY } from './queries.ts';
import { readQuery } from './query.ts';
import { readJson } from './read-json.ts';

export interface GatewayRoutesOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly events: EventSink;
}

type Handler = (c: Context<HttpEnv>) => Response | Promise<Response>;

/** Where gateways live; both answer the same. */
const BASES = ['/v1/gateways', '/gateways'];

const BODY_BYTES = 2 * 1024 * 1024;

/** The REST API of gateways and its OpenAPI document. Whoever gets here has an admin's Grant in the context. */
export function gatewayRoutes({ registry, clock, events }: GatewayRoutesOptions): Hono<HttpEnv> {
  const view = (gateway: RegisteredGateway) => gatewayView(gateway, clock.nowMs());
  const shown = (gateway: RegisteredGateway): Response =>
    Response.json(view(gateway), { headers: { ...PRIVATE, ...(gateway.record && { etag: `"${gateway.version}"` }) } });
  const grantOf = (c: Context<HttpEnv>) => c.get('grant');
  const idOf = (c: Context<HttpEnv>): string => c.req.param('id') ?? '';
  const noQuery = (c: Context<HttpEnv>) => readQuery(c.req.url, {});

  const refresh: Handler = async (c) => {
    readQuery(c.req.url, REFRESH_QUERY);
    return answer(await registry.refresh(grantOf(c), idOf(c)));
  };

  const routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    '': {
      GET: (c) => {
        const query = readQuery(c.req.url, LIST_QUERY);
        const { gateways, nextCursor } = pageOf(registry.list(), query);
        const views = gateways.map(view);
        return answer(query.include_pagination ? { gateways: views, nextCursor } : views);
      },
      POST: async (c) => {
        const { connect } = readQuery(c.req.url, CREATE_QUERY);
        const input = parseGatewayCreate(await readJson(c.req.raw, BODY_BYTES));
        return shown(await registry.create(grantOf(c), input, { connect }));
      },
    },
    '/:id': {
      GET: (c) => {
        noQuery(c);
        return shown(registry.find(idOf(c)));
      },
      PUT: async (c) => {
        noQuery(c);
        const patch = parseGatewayUpdate(await readJson(c.req.raw, BODY_BYTES));
        return shown(await registry.update(grantOf(c), idOf(c), patch, ifMatch(c.req.raw)));
      },
      DELETE: async (c) => {
        noQuery(c);
        const { id, record } = registry.find(idOf(c));
        await registry.remove(id, ifMatch(c.req.raw));
        return answer({ status: 'success', message: `Gateway ${record?.slug ?? id} deleted` });
      },
    },
    '/:id/state': {
      POST: async (c) => {
        const { activate } = readQuery(c.req.url, STATE_QUERY);
        return shown(await registry.setActive(grantOf(c), idOf(c), activate, ifMatch(c.req.raw)));
      },
    },
    '/:id/refresh': { POST: refresh },
    '/:id/tools/refresh': { POST: refresh },
    '/:id/check': {
      POST: async (c) => {
        noQuery(c);
        const { id } = registry.find(idOf(c));
        return answer(handshakeView(id, await registry.check(id), clock.nowMs()));
      },
    },
  };

  const app = new Hono<HttpEnv>({ strict: false });
  app.onError((error, c) => problemAnswer(error, { path: c.req.path, events }));
  for (const base of BASES)
    for (const [path, handlers] of Object.entries(routes)) mount(app, base + path, handlers, events);
  mount(app, '/openapi.json', { GET: () => answer(openApiDocument()) }, events);
  return app;
}

const PRIVATE = { 'cache-control': 'no-store' };

const answer = (body: unknown): Response => Response.json(body, { headers: PRIVATE });

function mount(app: Hono<HttpEnv>, path: string, handlers: Readonly<Record<string, Handler>>, events: EventSink): void {
  for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler);
  const allow = Object.keys(handlers).join(', ');
  app.all(path, (c) =>
    problemAnswer(new GatewayError('method_not_allowed', `expected ${allow}, met ${c.req.method}`), {
      path: c.req.path,
      events,
      headers: { allow },
    }),
  );
}

/**
 * The versions If-Match names; weak tags and what is no tag match nothing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1
 */
function ifMatch(request: Request): ChangeOptions {
  const header = request.headers.get('if-match')?.trim();
  if (header === undefined || header === '*') return {};
  return { ifVersions: header.split(',').flatMap((tag) => /^\s*"([^"]*)"\s*$/.exec(tag)?.[1] ?? []) };
}
