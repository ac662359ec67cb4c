import { orderKey } from '../../registry/snapshot.ts';
import type { RegisteredGateway } from '../../registry/snapshot.ts';
import type { LIST_QUERY } from './queries.ts';
import type { QueryOf } from './query.ts';

export interface GatewayPage {
  readonly gateways: readonly RegisteredGateway[];
  readonly nextCursor: string | null;
}

/** The gateways a query asks for, of `all` in their order. A cursor is the order key of the last one before. */
export function pageOf(all: readonly RegisteredGateway[], query: QueryOf<typeof LIST_QUERY>): GatewayPage {
  const { cursor = '' } = query;
  const matching = all.filter((gateway) => isWanted(gateway, query) && orderKey(gateway) > cursor);
  const gateways = matching.slice(0, query.limit);
  const last = gateways.at(-1);
  const more = gateways.length < matching.length && last !== undefined;
  return { gateways, nextCursor: more ? orderKey(last) : null };
}

/** A gateway that cannot be read is always shown: somebody has to act. */
function isWanted({ record }: RegisteredGateway, query: QueryOf<typeof LIST_QUERY>): boolean {
  if (record === undefined) return true;
  const { tags = [], teamId, visibility = 'public' } = record.labels;
  return (
    (record.enabled || query.include_inactive) &&
    (query.team_id === undefined || query.team_id === teamId) &&
    (query.visibility === undefined || query.visibility === visibility) &&
    (query.tags === undefined || query.tags.split(',').some((tag) => tags.includes(tag.trim())))
  );
}
