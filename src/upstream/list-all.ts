import { GatewayError } from '../base/errors.ts';
import { isFields } from '../base/fields.ts';
import { LISTING_CAPABILITY, LISTINGS, type ListingMethod } from '../wire/mcp.ts';
import type { JsonRpcResponse } from '../wire/json-rpc.ts';
import { LISTING_LIFE_MS, type ListingTerms } from './facts.ts';
import type { Params } from './own-request.ts';

type Call = (method: string, params: Params) => Promise<JsonRpcResponse>;

/** Bounds on what one upstream may make us keep, per listing. */
const MAX_PAGES_COUNT = 1_000;
const MAX_ITEMS_COUNT = 20_000;
/** As JSON, all listings together; without it the pages of one upstream could fill the memory of the process. */
const MAX_CHARACTERS = 32 * 1024 * 1024;
const METHOD_NOT_FOUND = -32601;

/** One listing as its upstream gave it, all pages. */
export interface Listed {
  readonly items: readonly Params[];
  /** The shortest life of any page, in milliseconds; undefined where a page does not say. */
  readonly ttlMs: number | undefined;
  /** `public` only when every page says so. */
  readonly cacheScope: ListingTerms['cacheScope'];
}

/** What a server without the method has; it is taken at its word for as long as one that gives no time. */
const NOTHING: Listed = { items: [], ttlMs: LISTING_LIFE_MS, cacheScope: 'public' };

/** What the pages of one upstream may still take. */
interface Budget {
  characters: number;
}

/**
 * Everything an upstream lists, one request after the other. What it declares no capability for, or does not know, is
 * empty.
 *
 * @throws GatewayError upstream_protocol for an answer that is no listing or never ends, upstream_too_large
 */
export async function listAll(capabilities: Params, call: Call): Promise<Readonly<Record<ListingMethod, Listed>>> {
  const budget = { characters: MAX_CHARACTERS };
  return {
    'tools/list': await list('tools/list', capabilities, call, budget),
    'prompts/list': await list('prompts/list', capabilities, call, budget),
    'resources/list': await list('resources/list', capabilities, call, budget),
    'resources/templates/list': await list('resources/templates/list', capabilities, call, budget),
  };
}

/**
 * One listing, all pages of it; empty as in `listAll`.
 *
 * @throws GatewayError as `listAll`
 */
export async function list(
  method: ListingMethod,
  capabilities: Params,
  call: Call,
  budget: Budget = { characters: MAX_CHARACTERS },
): Promise<Listed> {
  if (capabilities[LISTING_CAPABILITY[method]] === undefined) return NOTHING;
  const items: Params[] = [];
  const seen = new Set<string>();
  let ttlMs: number | undefined = Number.POSITIVE_INFINITY;
  let isPublic = true;
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES_COUNT; page++) {
    const message = await call(method, cursor === undefined ? {} : { cursor });
    if ('error' in message) {
      if (message.error.code === METHOD_NOT_FOUND && page === 0) return NOTHING;
      throw malformed(method, `error ${message.error.code}`);
    }
    const { result } = message;
    const { nextCursor } = result;
    items.push(...itemsOf(method, result, items.length, budget));
    const lifeMs = result['ttlMs'];
    ttlMs = ttlMs === undefined || !isLife(lifeMs) ? undefined : Math.min(ttlMs, lifeMs);
    isPublic &&= result['cacheScope'] === 'public';
    // the empty string is a cursor like any other (MCP, pagination)
    if (typeof nextCursor !== 'string') return { items, ttlMs, cacheScope: isPublic ? 'public' : 'private' };
    if (seen.has(nextCursor)) throw malformed(method, 'the same cursor twice');
    seen.add(nextCursor);
    cursor = nextCursor;
  }
  throw malformed(method, `more than ${MAX_PAGES_COUNT} pages`);
}

/** The items of one page. @throws GatewayError upstream_protocol, upstream_too_large */
function itemsOf(method: ListingMethod, result: Params, known: number, budget: Budget): readonly Params[] {
  const { member, key } = LISTINGS[method];
  const { [member]: listed, nextCursor } = result;
  if (!isListOf(listed, key)) throw malformed(method, `no list of ${member} with a ${key} each`);
  if (known + listed.length > MAX_ITEMS_COUNT)
    throw new GatewayError('upstream_too_large', `the upstream lists more than ${MAX_ITEMS_COUNT} ${member}`);
  budget.characters -= JSON.stringify([listed, nextCursor]).length;
  if (budget.characters < 0)
    throw new GatewayError('upstream_too_large', `the upstream lists more than ${MAX_CHARACTERS} characters`);
  return listed;
}

const isLife = (value: unknown): value is number => typeof value === 'number' && value >= 0;

function isListOf(value: unknown, key: string): value is readonly Params[] {
  return Array.isArray(value) && value.every((item) => isFields(item) && typeof item[key] === 'string');
}

function malformed(method: string, met: string): GatewayError {
  return new GatewayError('upstream_protocol', `the upstream answered ${method} with ${met}`);
}
