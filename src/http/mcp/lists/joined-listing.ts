import { GatewayError } from '../../../base/errors.ts';
import type { Fields } from '../../../base/fields.ts';
import type { Member } from '../../../catalog/member.ts';
import { META } from '../../../wire/eras.ts';
import type { Era } from '../../../wire/eras.ts';
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts';
import type { ListingMethod } from '../../../wire/mcp.ts';
import { bytesAnswer } from '../answers.ts';
import { catalogueFor, listApart, seesCallersApart } from './apart-lists.ts';
import type { ApartLists, AskMember } from './apart-lists.ts';
import { MEMBER_DEADLINE_MS } from '../exchange.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { itemsIn, listTail, spliced } from './kept-lists.ts';
import { commonTerms } from './list-terms.ts';
import type { PartTerms } from './list-terms.ts';

/** `_meta` keys of our lists: the slugs of gateways nothing is known of, and of those known from before they failed. */
const MISSING = 'postern/missing';
const STALE = 'postern/stale';

/**
 * One of the four listings over all members, on one page, from what is kept of each. Members whose upstream is told who
 * calls are asked in the caller's name.
 *
 * @throws GatewayError request_invalid for a cursor, upstream_unavailable when no member can be reached
 */
export async function joinedListing(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
  method: ListingMethod,
  era: Era,
  ask: AskMember,
): Promise<Response> {
  refuseCursor(request);
  const { server } = exchange;
  const others = server.members.filter(({ upstream }) => seesCallersApart(upstream));
  const shared = others.length === 0 ? server.members : server.members.filter((member) => !others.includes(member));
  const freshening = freshened(exchange, shared, method);
  const apart = others.length === 0 ? NOBODY : await listApart(services, exchange, others, request, method, ask);
  if (freshening) await freshening;

  const isMissing = (member: Member): boolean =>
    others.includes(member) ? !apart.has(member) : member.upstream.facts === undefined;
  const missing = server.members.filter(isMissing);
  const known = server.members.filter((member) => !isMissing(member));
  if (server.members.length > 0 && !(await isAnyoneUp(exchange, known, method))) throw allDown(server.members);

  const tail =
    others.length === 0
      ? services.lists.tail(server.catalogue, method, era)
      : listTail(method, itemsIn(era, method, catalogueFor(server, method, apart).items(method)));
  const stale = known.filter(({ upstream }) => upstream.listings.isStale);
  const terms = server.members.map((member) => termsOf(member, method, apart));
  return bytesAnswer(
    spliced(request.id, head(services, era, terms, { ...named(MISSING, missing), ...named(STALE, stale) }), tail),
  );
}

const NOBODY: ApartLists = new Map();

/** Resolves once everything is as fresh as it can be; undefined when it is so already. */
function freshened(
  { grant, signal }: Exchange,
  members: readonly Member[],
  method: ListingMethod,
): Promise<unknown> | undefined {
  const wait = { signal, limitMs: MEMBER_DEADLINE_MS };
  const waiting: Promise<unknown>[] = [];
  for (const { upstream } of members) {
    const listing = upstream.listings.fresh(grant, method, wait);
    if (listing instanceof Promise) waiting.push(listing);
  }
  return waiting.length === 0 ? undefined : Promise.allSettled(waiting);
}

/** What is kept serves while some are down; when all seem to be, they are asked before that is believed. */
async function isAnyoneUp(
  { grant, signal }: Exchange,
  known: readonly Member[],
  method: ListingMethod,
): Promise<boolean> {
  if (known.some(({ upstream }) => seesCallersApart(upstream) || !upstream.listings.isDown)) return true;
  const wait = { signal, limitMs: MEMBER_DEADLINE_MS };
  await Promise.allSettled(known.map(({ upstream }) => upstream.listings.again(grant, method, wait)));
  return known.some(({ upstream }) => !upstream.listings.isDown);
}

function allDown(members: readonly Member[]): GatewayError {
  const reason = members
    .map(({ upstream }) => upstream.health.reason?.message)
    .find((message) => message !== undefined);
  return new GatewayError(
    'upstream_unavailable',
    `no upstream could be listed; the first said: ${reason ?? 'nothing'}`,
  );
}

function termsOf(member: Member, method: ListingMethod, apart: ApartLists): PartTerms {
  if (!seesCallersApart(member.upstream)) return member.upstream.listings.terms(method);
  return { ttlMs: apart.get(member)?.ttlMs ?? 0, cacheScope: 'private' };
}

/** The members of the result before the items. */
function head({ serverInfo }: McpServices, era: Era, terms: readonly PartTerms[], ownMeta: Fields): Fields {
  if (era === 'legacy') return Object.keys(ownMeta).length === 0 ? {} : { _meta: ownMeta };
  return { resultType: 'complete', ...commonTerms(terms), _meta: { [META.serverInfo]: serverInfo, ...ownMeta } };
}

function named(key: string, members: readonly Member[]): Fields {
  return members.length === 0 ? {} : { [key]: members.map(({ upstream }) => upstream.config.slug) };
}

/** Everything is on one page, so no cursor was ever given out. */
function refuseCursor({ params }: JsonRpcRequest): void {
  if (params?.['cursor'] === undefined) return;
  throw new GatewayError('request_invalid', 'the cursor was not given out here: a list is one page', {
    details: { rpcCode: -32602, rpcStatus: 200 },
  });
}
