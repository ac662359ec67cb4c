import { Catalogue } from '../../../catalog/catalogue.ts';
import type { Member } from '../../../catalog/member.ts';
import type { VirtualServer } from '../../../catalog/virtual-server.ts';
import { withDeadline } from '../../../upstream/deadline.ts';
import { list } from '../../../upstream/list-all.ts';
import type { Listed } from '../../../upstream/list-all.ts';
import type { Upstream } from '../../../upstream/upstream.ts';
import type { JsonRpcRequest, JsonRpcResponse } from '../../../wire/json-rpc.ts';
import { LISTING_CAPABILITY, LISTINGS } from '../../../wire/mcp.ts';
import type { ListingMethod } from '../../../wire/mcp.ts';
import { MEMBER_DEADLINE_MS } from '../exchange.ts';
import type { Exchange, McpServices } from '../exchange.ts';

/** Asks one member something on behalf of this very caller. */
export type AskMember = (member: Member, request: JsonRpcRequest, signal: AbortSignal) => Promise<JsonRpcResponse>;

/** What each member answered to this caller; those that failed, or took too long, are left out. */
export type ApartLists = ReadonlyMap<Member, Listed>;

/** Whether an upstream is told who calls, so that what it lists is for that caller alone. */
export const seesCallersApart = ({ config }: Upstream): boolean => config.passthroughHeaders.length > 0;

/** Asks members for one listing, all pages, in the caller's name. */
export async function listApart(
  { clock }: McpServices,
  { signal }: Exchange,
  members: readonly Member[],
  request: JsonRpcRequest,
  method: ListingMethod,
  ask: AskMember,
): Promise<ApartLists> {
  const answered = new Map<Member, Listed>();
  const listOne = async (member: Member, deadline: AbortSignal): Promise<void> => {
    const page = (_method: string, params: object) =>
      ask(member, { ...request, params: { ...request.params, ...params } }, deadline);
    answered.set(member, await list(method, { [LISTING_CAPABILITY[method]]: {} }, page));
  };
  await Promise.allSettled(
    members.map((member) => withDeadline(clock, MEMBER_DEADLINE_MS, signal, (deadline) => listOne(member, deadline))),
  );
  return answered;
}

/** A server as this caller sees it: of some members what they answered to it alone. */
export function catalogueFor(
  { members, transparent }: VirtualServer,
  method: ListingMethod,
  apart: ApartLists,
): Catalogue {
  const listings = members.map((member) => {
    const { listing } = member.upstream.facts ?? {};
    if (!seesCallersApart(member.upstream)) return listing;
    const items = apart.get(member)?.items ?? [];
    return { ...NOTHING_LISTED, [LISTINGS[method].member]: items };
  });
  return new Catalogue(members, transparent, listings);
}

const NOTHING_LISTED = { tools: [], prompts: [], resources: [], resourceTemplates: [] };
