import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { MemberItems } from '../../catalog/merge.ts';
import type { Member } from '../../catalog/virtual-server.ts';
import { withDeadline } from '../../upstream/deadline.ts';
import type { JsonRpcResponse } from '../../wire/json-rpc.ts';
import { LISTINGS } from '../../wire/mcp.ts';
import type { ListingMethod } from '../../wire/mcp.ts';
import { MEMBER_DEADLINE_MS } from './exchange.ts';
import type { Exchange, McpServices } from './exchange.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One member's listing, all pages, with the other members of its first result. */
export interface MemberListing extends MemberItems {
  readonly result: Fields;
}

/** Asks a member for one page; `cursor` is undefined for the first. */
export type AskPage = (member: Member, cursor: unknown, signal: AbortSignal) => Promise<JsonRpcResponse>;

/** More pages than this from one upstream is a fault, not a catalogue. */
const MAX_PAGE_COUNT = 1000;
const METHOD_NOT_FOUND = -32601;

/**
 * One listing from every member at once, members in order. A member that fails, or takes too long, is left out.
 *
 * @throws GatewayError upstream_unavailable when all of them failed
 */
export async function listMembers(
  { clock }: McpServices,
  { signal }: Exchange,
  members: readonly Member[],
  method: ListingMethod,
  ask: AskPage,
): Promise<MemberListing[]> {
  const outcomes = await Promise.allSettled(
    members.map((member) =>
      withDeadline(clock, MEMBER_DEADLINE_MS, signal, (deadline) => listMember(member, method, ask, deadline)),
    ),
  );
  const listings = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed && listings.length === 0) {
    const reason = toGatewayError(failed.reason);
    throw new GatewayError('upstream_unavailable', `no upstream could be listed; the first said: ${reason.message}`, {
      cause: reason,
    });
  }
  return listings;
}

async function listMember(
  member: Member,
  method: ListingMethod,
  ask: AskPage,
  signal: AbortSignal,
): Promise<MemberListing> {
  const items: Fields[] = [];
  let first: Fields | undefined;
  let cursor: unknown;
  for (let page = 0; page < MAX_PAGE_COUNT; page++) {
    const answer = await ask(member, cursor, signal);
    if ('error' in answer) {
      if (answer.error.code === METHOD_NOT_FOUND) return { member, items: [], result: {} };
      throw new GatewayError('upstream_protocol', `${method} failed with error ${answer.error.code}`);
    }
    first ??= answer.result;
    const found = answer.result[LISTINGS[method].member];
    if (Array.isArray(found)) for (const item of found) items.push(item);
    cursor = answer.result['nextCursor'];
    if (cursor === undefined || cursor === null) return { member, items, result: first };
  }
  throw new GatewayError('upstream_protocol', `${method} has more than ${MAX_PAGE_COUNT} pages`);
}
