import type { GatewayLabels } from '../../registry/gateway-record.ts';
import { orderKey } from '../../registry/snapshot.ts';
import type { Ordered } from '../../registry/snapshot.ts';
import type { LIST_QUERY } from './queries.ts';
import type { QueryOf } from './query.ts';

/** A gateway or virtual server, as far as lists are narrowed down by it. */
interface Listed extends Ordered {
  readonly record:
    | (NonNullable<Ordered['record']> & { readonly enabled: boolean; readonly labels: GatewayLabels })
    | undefined;
}

/** Some of a list, and where the next page begins. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** What a query asks for, of `all` in their order. A cursor is the order key of the last one before. */
export function pageOf<T extends Listed>(all: readonly T[], query: QueryOf<typeof LIST_QUERY>): Page<T> {
  const { cursor = '' } = query;
  const matching = all.filter((listed) => isWanted(listed, query) && orderKey(listed) > cursor);
  const items = matching.slice(0, query.limit);
  const last = items.at(-1);
  const more = items.length < matching.length && last !== undefined;
  return { items, nextCursor: more ? orderKey(last) : null };
}

/** What cannot be read is always shown: somebody has to act. */
function isWanted({ record }: Listed, query: QueryOf<typeof LIST_QUERY>): boolean {
  if (record === undefined) return true;
  const { tags = [], teamId, visibility = 'public' } = record.labels;
  return (
    (record.enabled || query.include_inactive) &&
    (query.team_id === undefined || query.team_id === teamId) &&
    (query.visibility === undefined || query.visibility === visibility) &&
    (query.tags === undefined || query.tags.split(',').some((tag) => tags.includes(tag.trim())))
  );
}
