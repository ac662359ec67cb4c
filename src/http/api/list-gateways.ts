import { fromBase64, fromUtf8, toBase64Url, utf8 } from '../../base/bytes.ts';
import { GatewayError } from '../../base/errors.ts';
import { orderKey } from '../../registry/snapshot.ts';
import type { Gateway } from '../../registry/snapshot.ts';
import type { LIST_QUERY } from './queries.ts';
import type { QueryOf } from './query.ts';

export interface GatewayPage {
  readonly gateways: readonly Gateway[];
  readonly nextCursor: string | null;
}

/** The gateways a query asks for, of `all` in their order. @throws GatewayError request_invalid for a cursor we never gave out */
export function pageOf(all: readonly Gateway[], query: QueryOf<typeof LIST_QUERY>): GatewayPage {
  const after = query.cursor === undefined ? '' : parseCursor(query.cursor);
  const matching = all.filter((gateway) => isWanted(gateway, query) && orderKey(gateway) > after);
  const gateways = matching.slice(0, query.limit);
  const last = gateways.at(-1);
  const more = gateways.length < matching.length && last !== undefined;
  return { gateways, nextCursor: more ? toBase64Url(utf8(orderKey(last))) : null };
}

/** A gateway that cannot be read is always shown: somebody has to act. */
function isWanted({ record }: Gateway, query: QueryOf<typeof LIST_QUERY>): boolean {
  if (record === undefined) return true;
  const { tags = [], teamId, visibility = 'public' } = record.labels;
  return (
    (record.enabled || query.include_inactive) &&
    (query.team_id === undefined || query.team_id === teamId) &&
    (query.visibility === undefined || query.visibility === visibility) &&
    (query.tags === undefined || query.tags.split(',').some((tag) => tags.includes(tag.trim())))
  );
}

function parseCursor(cursor: string): string {
  try {
    return fromUtf8(fromBase64(cursor));
  } catch {
    throw new GatewayError('request_invalid', 'the query parameter cursor is not one that was given out', {
      details: { fields: [{ field: 'cursor', problem: 'is not one that was given out' }] },
    });
  }
}
