import { asFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import type { Member } from '../../catalog/member.ts';
import type { VirtualServer } from '../../catalog/virtual-server.ts';
import type { JsonRpcRequest } from '../../wire/json-rpc.ts';

const UPDATED = 'notifications/resources/updated';
/** JSON may be written with escapes: some servers write every slash with one. */
const MAY_BE_NEWS = /updated|\\u00/;
/** Resources one listener may watch: for each is worked out where it leads. What is left out is not acknowledged. */
const MAX_URI_COUNT = 256;

/** Whether a URI leads to this member and nowhere else. */
const belongsTo = ({ catalogue }: VirtualServer, member: Member, uri: unknown): boolean =>
  typeof uri === 'string' && catalogue.route({ by: 'uri', value: uri })?.member === member;

/** Whether a message of a member tells of a resource it does not show here. */
export function isHiddenNews(server: VirtualServer, member: Member, data: string | undefined): boolean {
  // most members hide nothing, and most messages are something else: look before parsing
  if (member.exposure === undefined || data === undefined || !MAY_BE_NEWS.test(data)) return false;
  const { method, params } = messageIn(data);
  return method === UPDATED && !belongsTo(server, member, asFields(params)?.['uri']);
}

/**
 * A subscriptions/listen as each member gets it: of the resources only those that lead to it.
 *
 * @param onUnroutable told of those that lead nowhere
 */
export function listensOf(
  { catalogue }: VirtualServer,
  request: JsonRpcRequest,
  onUnroutable: (uri: string) => void,
): (member: Member) => JsonRpcRequest {
  const { resourceSubscriptions: uris, ...filter } = asFields(request.params?.['notifications']) ?? {};
  if (uris === undefined) return () => request;
  const wanted = Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string').slice(0, MAX_URI_COUNT) : [];
  const byMember = Map.groupBy(wanted, (value) => catalogue.route({ by: 'uri', value })?.member);
  byMember.get(undefined)?.forEach(onUnroutable);
  return (member) => {
    const own = byMember.get(member);
    const notifications = { ...filter, ...(own && { resourceSubscriptions: own }) };
    return { ...request, params: { ...request.params, notifications } };
  };
}

function messageIn(data: string): Fields {
  try {
    return asFields(JSON.parse(data)) ?? {};
  } catch {
    return {};
  }
}
