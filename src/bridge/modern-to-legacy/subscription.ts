import { asFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import { META } from '../../wire/eras.ts';
import type { JsonRpcId } from '../../wire/json-rpc.ts';

/** What a caller of subscriptions/listen wants to hear of. @see MCP 2026-07-28, subscriptions */
export interface Subscription {
  /** Of `tools`, `prompts` and `resources` those whose listings are watched. */
  readonly lists: readonly string[];
  readonly uris: readonly string[];
}

const LISTS = ['tools', 'prompts', 'resources'];
const LIST_CHANGED = /^notifications\/(tools|prompts|resources)\/list_changed$/;
/** Resources one listener may watch at one server: each costs the server a request. */
const MAX_URI_COUNT = 256;

/** What a legacy server with these capabilities can tell of what a caller wants to hear. */
export function subscriptionOf(params: Fields | undefined, capabilities: Fields): Subscription {
  const wanted = asFields(params?.['notifications']) ?? {};
  const can = (name: string, flag: string): boolean => asFields(capabilities[name])?.[flag] === true;
  const uris = wanted['resourceSubscriptions'];
  return {
    lists: LISTS.filter((name) => wanted[`${name}ListChanged`] === true && can(name, 'listChanged')),
    uris:
      Array.isArray(uris) && can('resources', 'subscribe')
        ? [...new Set(uris.filter((uri) => typeof uri === 'string'))].slice(0, MAX_URI_COUNT)
        : [],
  };
}

/** The first message on a listener's stream: what is watched. */
export function acknowledgement({ lists, uris }: Subscription, id: JsonRpcId): Fields {
  const notifications = {
    ...Object.fromEntries(lists.map((name) => [`${name}ListChanged`, true])),
    ...(uris.length > 0 && { resourceSubscriptions: uris }),
  };
  return marked('notifications/subscriptions/acknowledged', { notifications }, id);
}

/** A legacy notification as a listener hears it; undefined for what it does not watch. */
export function listenedNotification(
  { method, params = {} }: { readonly method: string; readonly params?: Fields },
  { lists, uris }: Subscription,
  id: JsonRpcId,
): Fields | undefined {
  const { uri } = params;
  const list = LIST_CHANGED.exec(method)?.[1];
  const isWatched =
    list === undefined
      ? // what changed may be a part of what is watched (MCP 2025-11-25, resources, Subscriptions)
        method === 'notifications/resources/updated' &&
        typeof uri === 'string' &&
        uris.some((one) => uri.startsWith(one))
      : lists.includes(list);
  return isWatched ? marked(method, params, id) : undefined;
}

/** Everything that may have changed while nobody listened. */
export function missedNotifications({ lists, uris }: Subscription, id: JsonRpcId): readonly Fields[] {
  return [
    ...lists.map((name) => marked(`notifications/${name}/list_changed`, {}, id)),
    ...uris.map((uri) => marked('notifications/resources/updated', { uri }, id)),
  ];
}

function marked(method: string, params: Fields, id: JsonRpcId): Fields {
  const _meta = { ...asFields(params['_meta']), [META.subscriptionId]: id };
  return { jsonrpc: '2.0', method, params: { ...params, _meta } };
}
