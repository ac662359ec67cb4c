import { GatewayError } from '../base/errors.ts';
import { isFields } from '../base/fields.ts';
import { LISTINGS, type ListingMethod } from '../wire/mcp.ts';
import type { JsonRpcResponse } from '../wire/json-rpc.ts';
import type { Listing } from './facts.ts';
import type { Params } from './own-request.ts';

type Call = (method: string, params: Params) => Promise<JsonRpcResponse>;

/** Bounds on what one upstream may make us keep, per listing. */
const MAX_PAGES_COUNT = 1_000;
const MAX_ITEMS_COUNT = 20_000;
/** As JSON, all listings together; without it the pages of one upstream could fill the memory of the process. */
const MAX_CHARACTERS = 32 * 1024 * 1024;
const METHOD_NOT_FOUND = -32601;

const CAPABILITY: Readonly<Record<ListingMethod, string>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resources',
};

/**
 * Everything an upstream lists, all pages of it, one request after the other. What it declares no capability for, or
 * does not know, is empty.
 *
 * @throws GatewayError upstream_protocol for an answer that is no listing or never ends, upstream_too_large
 */
export async function listAll(capabilities: Params, call: Call): Promise<Listing> {
  const budget = { characters: MAX_CHARACTERS };
  const list = (method: ListingMethod) =>
    capabilities[CAPABILITY[method]] === undefined ? Promise.resolve([]) : drain(method, call, budget);
  return {
    tools: await list('tools/list'),
    prompts: await list('prompts/list'),
    resources: await list('resources/list'),
    resourceTemplates: await list('resources/templates/list'),
  };
}

async function drain(method: ListingMethod, call: Call, budget: { characters: number }): Promise<readonly Params[]> {
  const { member, key } = LISTINGS[method];
  const items: Params[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES_COUNT; page++) {
    const message = await call(method, cursor === undefined ? {} : { cursor });
    if ('error' in message) {
      if (message.error.code === METHOD_NOT_FOUND && page === 0) return [];
      throw malformed(method, `error ${message.error.code}`);
    }
    const { [member]: listed, nextCursor } = message.result;
    if (!isListOf(listed, key)) throw malformed(method, `no list of ${member} with a ${key} each`);
    if (items.length + listed.length > MAX_ITEMS_COUNT)
      throw new GatewayError('upstream_too_large', `the upstream lists more than ${MAX_ITEMS_COUNT} ${member}`);
    budget.characters -= JSON.stringify([listed, nextCursor]).length;
    if (budget.characters < 0)
      throw new GatewayError('upstream_too_large', `the upstream lists more than ${MAX_CHARACTERS} characters`);
    items.push(...listed);
    // the empty string is a cursor like any other (MCP, pagination)
    if (typeof nextCursor !== 'string') return items;
    if (seen.has(nextCursor)) throw malformed(method, 'the same cursor twice');
    seen.add(nextCursor);
    cursor = nextCursor;
  }
  throw malformed(method, `more than ${MAX_PAGES_COUNT} pages`);
}

function isListOf(value: unknown, key: string): value is readonly Params[] {
  return Array.isArray(value) && value.every((item) => isFields(item) && typeof item[key] === 'string');
}

function malformed(method: string, met: string): GatewayError {
  return new GatewayError('upstream_protocol', `the upstream answered ${method} with ${met}`);
}
