import type { ItemKind } from '../../catalog/exposure.ts';
import { itemView } from '../../catalog/item-view.ts';
import { publishedItems } from '../../catalog/published-items.ts';
import type { Servers } from '../../catalog/servers.ts';
import { answer, noQuery } from './routes.ts';
import type { Routes } from './routes.ts';

/** Lists what /mcp publishes of one kind. Whoever gets here has an admin's Grant in the context. */
export function itemRoutes(servers: Servers, kind: ItemKind): Routes {
  return {
    '': {
      GET: (c) => {
        noQuery(c);
        return answer(publishedItems(servers.snapshot().everything, kind).map((item) => itemView(kind, item)));
      },
    },
  };
}
