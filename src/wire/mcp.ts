import { asFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import type { JsonRpcRequest } from './json-rpc.ts';

/** The four listings: the method, the member of the result that holds the items, and what names an item. */
export const LISTINGS = {
  'tools/list': { member: 'tools', key: 'name', prefixed: true },
  'prompts/list': { member: 'prompts', key: 'name', prefixed: true },
  'resources/list': { member: 'resources', key: 'uri', prefixed: false },
  'resources/templates/list': { member: 'resourceTemplates', key: 'uriTemplate', prefixed: false },
} as const;

/** The method of a listing. */
export type ListingMethod = keyof typeof LISTINGS;

/** The methods of the four listings. */
export const LISTING_METHODS = Object.keys(LISTINGS) as readonly ListingMethod[];

/** What changed when a server says so, by the notification it says it with. */
const CHANGES: ReadonlyMap<string, readonly ListingMethod[]> = new Map([
  ['notifications/tools/list_changed', ['tools/list']],
  ['notifications/prompts/list_changed', ['prompts/list']],
  ['notifications/resources/list_changed', ['resources/list', 'resources/templates/list']],
]);

/** The listings a notification says have changed; none for every other message. */
export const listingsChangedBy = (method: string): readonly ListingMethod[] => CHANGES.get(method) ?? [];

/** The capability whose `listChanged` flag promises to tell of changes of a listing. */
export const LISTING_CAPABILITY: Readonly<Record<ListingMethod, 'tools' | 'prompts' | 'resources'>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resources',
};

/** Whether a method lists something. */
export const isListing = (method: string): method is ListingMethod => Object.hasOwn(LISTINGS, method);

/** Which upstream a request is for: by tool or prompt name, by resource URI (or template), or by nothing it carries. */
export type Target =
  | { readonly by: 'name'; readonly of: 'tools' | 'prompts'; readonly value: string }
  | { readonly by: 'uri'; readonly value: string }
  | { readonly by: 'none' };

/** Where a method keeps the name it is routed by; methods that are not here carry none. */
const ROUTED: ReadonlyMap<string, 'name' | 'uri' | 'ref'> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['resources/subscribe', 'uri'],
  ['resources/unsubscribe', 'uri'],
  ['completion/complete', 'ref'],
]);

/** What names the target of a request. */
export function targetOf(request: Pick<JsonRpcRequest, 'method' | 'params'>): Target {
  const where = ROUTED.get(request.method);
  if (where === undefined) return { by: 'none' };
  if (where === 'ref') return targetOfRef(asFields(request.params?.['ref']));
  const { name, uri } = request.params ?? {};
  if (where === 'name' && typeof name === 'string')
    return { by: 'name', of: request.method === 'tools/call' ? 'tools' : 'prompts', value: name };
  if (where === 'uri' && typeof uri === 'string') return { by: 'uri', value: uri };
  return { by: 'none' };
}

/** The type decides what a reference names; one that names two things names nothing. */
function targetOfRef({ type, name, uri }: Fields = {}): Target {
  if (type === 'ref/prompt' && typeof name === 'string' && uri === undefined)
    return { by: 'name', of: 'prompts', value: name };
  if (type === 'ref/resource' && typeof uri === 'string' && name === undefined) return { by: 'uri', value: uri };
  return { by: 'none' };
}

/** The same request with its tool or prompt name replaced. */
export function renamed<R extends Pick<JsonRpcRequest, 'method' | 'params'>>(request: R, name: string): R {
  if (ROUTED.get(request.method) === 'ref')
    return { ...request, params: { ...request.params, ref: { ...asFields(request.params?.['ref']), name } } };
  return { ...request, params: { ...request.params, name } };
}

/** Methods that change nothing. */
const IDEMPOTENT = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
]);

/** Whether a method may be sent again after its connection was lost. */
export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method);
