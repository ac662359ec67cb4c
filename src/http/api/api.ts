import { Hono } from 'hono';
import type { EventSink } from '../../base/events.ts';
import type { HttpEnv } from '../env.ts';
import { problemAnswer } from '../problem.ts';
import { gatewayRoutes } from './gateway-routes.ts';
import type { GatewayRoutesOptions } from './gateway-routes.ts';
import { itemRoutes } from './item-routes.ts';
import { openApiDocument } from './openapi.ts';
import { policyRoutes } from './policy-routes.ts';
import type { PolicyRoutesOptions } from './policy-routes.ts';
import { answer, mount } from './routes.ts';
import { rotationRoutes } from './rotation-routes.ts';
import type { RotationRoutesOptions } from './rotation-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import type { TokenRoutesOptions } from './token-routes.ts';
import { serverRoutes } from './server-routes.ts';
import type { ServerRoutesOptions } from './server-routes.ts';

export interface ApiOptions
  extends GatewayRoutesOptions, ServerRoutesOptions, RotationRoutesOptions, PolicyRoutesOptions, TokenRoutesOptions {
  readonly events: EventSink;
}

/** Where the API lives: only an admin gets there. The MCP addresses below /servers are no part of it. */
export const API_PATHS: readonly string[] = [
  '/v1/*',
  '/gateways/*',
  '/servers',
  '/servers/:id',
  '/servers/:id/state',
  '/tools',
  '/prompts',
  '/resources',
  '/rotation',
  '/policy',
  '/policy/test',
  '/tokens',
  '/tokens/*',
  '/openapi.json',
];

/** The REST API and its OpenAPI document; the unversioned paths answer the same. */
export function apiRoutes(options: ApiOptions): Hono<HttpEnv> {
  const { servers, events } = options;
  const app = new Hono<HttpEnv>({ strict: false });
  app.onError((error, c) => problemAnswer(error, { path: c.req.path, events }));
  for (const version of ['/v1', '']) {
    mount(app, `${version}/gateways`, gatewayRoutes(options), events);
    mount(app, `${version}/servers`, serverRoutes(options), events);
    mount(app, `${version}/rotation`, rotationRoutes(options), events);
    mount(app, `${version}/policy`, policyRoutes(options), events);
    mount(app, `${version}/tokens`, tokenRoutes(options), events);
    for (const kind of ['tools', 'prompts', 'resources'] as const)
      mount(app, `${version}/${kind}`, itemRoutes(servers, kind), events);
  }
  mount(app, '/openapi.json', { '': { GET: () => answer(openApiDocument()) } }, events);
  return app;
}
