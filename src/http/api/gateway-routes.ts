import type { Clock } from '../../base/clock.ts';
import { gatewayView } from '../../registry/gateway-view.ts';
import { handshakeView } from '../../registry/handshake-view.ts';
import { parseGatewayCreate, parseGatewayUpdate } from '../../registry/gateway-input.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RegisteredGateway } from '../../registry/snapshot.ts';
import { pageOf } from './page.ts';
import { CREATE_QUERY, LIST_QUERY, REFRESH_QUERY, STATE_QUERY, UPDATE_QUERY } from './queries.ts';
import { readQuery } from './query.ts';
import { answer, bodyOf, grantOf, idOf, ifMatch, noQuery, versionedAnswer } from './routes.ts';
import type { Handler, Routes } from './routes.ts';

export interface GatewayRoutesOptions {
  readonly registry: Registry;
  readonly clock: Clock;
}

/** The REST API of gateways. Whoever gets here has an admin's Grant in the context. */
export function gatewayRoutes({ registry, clock }: GatewayRoutesOptions): Routes {
  const view = (gateway: RegisteredGateway) => gatewayView(gateway, clock.nowMs());
  const shown = (gateway: RegisteredGateway): Response =>
    versionedAnswer(view(gateway), gateway.record && gateway.version);

  const refresh: Handler = async (c) => {
    readQuery(c.req.url, REFRESH_QUERY);
    return answer(await registry.refresh(grantOf(c), idOf(c)));
  };

  return {
    '': {
      GET: (c) => {
        const query = readQuery(c.req.url, LIST_QUERY);
        const { items, nextCursor } = pageOf(registry.list(), query);
        const gateways = items.map(view);
        return answer(query.include_pagination ? { gateways, nextCursor } : gateways);
      },
      POST: async (c) => {
        const { connect } = readQuery(c.req.url, CREATE_QUERY);
        const input = parseGatewayCreate(await bodyOf(c));
        return shown(await registry.changes.create(grantOf(c), input, { connect }));
      },
    },
    '/:id': {
      GET: (c) => {
        noQuery(c);
        return shown(registry.find(idOf(c)));
      },
      PUT: async (c) => {
        const { connect } = readQuery(c.req.url, UPDATE_QUERY);
        const patch = parseGatewayUpdate(await bodyOf(c));
        return shown(await registry.changes.update(grantOf(c), idOf(c), patch, { ...ifMatch(c), connect }));
      },
      DELETE: async (c) => {
        noQuery(c);
        const { id, record } = registry.find(idOf(c));
        await registry.changes.remove(grantOf(c), id, ifMatch(c));
        return answer({ status: 'success', message: `Gateway ${record?.slug ?? id} deleted` });
      },
    },
    '/:id/state': {
      POST: async (c) => {
        const { activate } = readQuery(c.req.url, STATE_QUERY);
        return shown(await registry.changes.setActive(grantOf(c), idOf(c), activate, ifMatch(c)));
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
}
