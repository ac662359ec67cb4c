import { parseServerCreate, parseServerUpdate } from '../../catalog/server-input.ts';
import { serverView } from '../../catalog/server-view.ts';
import type { SavedServer } from '../../catalog/load-server.ts';
import type { Servers } from '../../catalog/servers.ts';
import type { Registry } from '../../registry/registry.ts';
import { pageOf } from './page.ts';
import { LIST_QUERY, STATE_QUERY } from './queries.ts';
import { readQuery } from './query.ts';
import { answer, bodyOf, grantOf, idOf, ifMatch, noQuery, versionedAnswer } from './routes.ts';
import type { Routes } from './routes.ts';

export interface ServerRoutesOptions {
  readonly servers: Servers;
  readonly registry: Registry;
}

/** The REST API of virtual servers. Whoever gets here has an admin's Grant in the context. */
export function serverRoutes({ servers, registry }: ServerRoutesOptions): Routes {
  const view = (server: SavedServer) => serverView(server, servers.snapshot(), registry);
  const shown = (server: SavedServer, status?: number): Response =>
    versionedAnswer(view(server), server.record && server.version, status);

  return {
    '': {
      GET: (c) => {
        const query = readQuery(c.req.url, LIST_QUERY);
        const { items, nextCursor } = pageOf(servers.list(), query);
        const views = items.map(view);
        return answer(query.include_pagination ? { servers: views, nextCursor } : views);
      },
      POST: async (c) => {
        noQuery(c);
        return shown(await servers.create(grantOf(c), parseServerCreate(await bodyOf(c))), 201);
      },
    },
    '/:id': {
      GET: (c) => {
        noQuery(c);
        return shown(servers.find(idOf(c)));
      },
      PUT: async (c) => {
        noQuery(c);
        return shown(await servers.update(grantOf(c), idOf(c), parseServerUpdate(await bodyOf(c)), ifMatch(c)));
      },
      DELETE: async (c) => {
        noQuery(c);
        const { id, record } = servers.find(idOf(c));
        await servers.remove(grantOf(c), id, ifMatch(c));
        return answer({ status: 'success', message: `Server ${record?.slug ?? id} deleted` });
      },
    },
    '/:id/state': {
      POST: async (c) => {
        const { activate } = readQuery(c.req.url, STATE_QUERY);
        return shown(await servers.setActive(grantOf(c), idOf(c), activate, ifMatch(c)));
      },
    },
  };
}
