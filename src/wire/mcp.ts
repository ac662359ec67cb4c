import { asFields } from '../base/fields.ts';
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

/** Whether a method lists something. */
export const isListing = (method: string): method is ListingMethod => Object.hasOwn(LISTINGS, method);

/** Which upstream a request is for: by tool or prompt name, by resource URI, or by nothing it carries. */
export type Target = { readonly by: 'name' | 'uri'; readonly value: string } | { readonly by: 'none' };

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
  const holder = where === 'ref' ? asFields(request.params?.['ref']) : request.params;
  for (const by of ['name', 'uri'] as const) {
    const value = holder?.[by];
    if (where !== (by === 'name' ? 'uri' : 'name') && typeof value === 'string') return { by, value };
  }
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
