import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { mergeCapabilities, mergeInstructions, mergeItems } from '../../catalog/merge.ts';
import type { Member } from '../../catalog/virtual-server.ts';
import { withDeadline } from '../../upstream/deadline.ts';
import { META, MODERN_VERSIONS } from '../../wire/eras.ts';
import type { JsonRpcRequest } from '../../wire/json-rpc.ts';
import { LISTINGS } from '../../wire/mcp.ts';
import type { ListingMethod } from '../../wire/mcp.ts';
import { resultAnswer } from './answers.ts';
import { MEMBER_DEADLINE_MS } from './exchange.ts';
import type { Exchange, McpServices } from './exchange.ts';
import { finalMessage } from './final-message.ts';
import { listMembers } from './joined-listing.ts';
import { modernMembers, sendModern } from './modern-legs.ts';

type Fields = Readonly<Record<string, unknown>>;

/** server/discover over all members: what any of them can do. */
export async function discover(services: McpServices, exchange: Exchange, request: JsonRpcRequest): Promise<Response> {
  const members = modernMembers(exchange);
  const ask = (member: Member) => async (deadline: AbortSignal) => ({
    member,
    answer: await finalMessage(await sendModern(exchange, member, request.method, exchange.text, {}, deadline)),
  });
  const outcomes = await Promise.allSettled(
    members.map((member) => withDeadline(services.clock, MEMBER_DEADLINE_MS, exchange.signal, ask(member))),
  );
  const found = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' && 'result' in outcome.value.answer
      ? [{ member: outcome.value.member, result: outcome.value.answer.result }]
      : [],
  );
  if (members.length > 0 && found.length === 0) throw allFailed(outcomes);
  const instructions = mergeInstructions(
    found.map(({ member, result }) => ({ name: member.upstream.config.name, instructions: result['instructions'] })),
  );
  return resultAnswer(request.id, {
    resultType: 'complete',
    supportedVersions: MODERN_VERSIONS,
    capabilities: mergeCapabilities(found.map(({ result }) => (result['capabilities'] ?? {}) as Fields)),
    ...(instructions !== undefined && { instructions }),
    ...cacheHints(found.map(({ result }) => result)),
    _meta: { [META.serverInfo]: services.serverInfo },
  });
}

/** One of the four listings over all members. */
export async function listing(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
  method: ListingMethod,
): Promise<Response> {
  const listings = await listMembers(
    services,
    exchange,
    modernMembers(exchange),
    method,
    async (member, cursor, signal) => {
      const page = { ...request, params: { ...request.params, ...(cursor !== undefined && { cursor }) } };
      return finalMessage(await sendModern(exchange, member, method, JSON.stringify(page), {}, signal));
    },
  );
  return resultAnswer(request.id, {
    resultType: 'complete',
    [LISTINGS[method].member]: mergeItems(method, listings),
    ...cacheHints(listings.map(({ result }) => result)),
    _meta: { [META.serverInfo]: services.serverInfo },
  });
}

/** The shortest life of any part; shared with others only when every part may be. @see MCP 2026-07-28, SEP-2549 */
function cacheHints(results: readonly Fields[]): Fields {
  const lives = results.map((result) => (typeof result['ttlMs'] === 'number' ? result['ttlMs'] : 0));
  const isPublic = results.every((result) => result['cacheScope'] === 'public');
  return {
    ttlMs: lives.length === 0 ? 0 : Math.min(...lives),
    cacheScope: isPublic && results.length > 0 ? 'public' : 'private',
  };
}

function allFailed(outcomes: readonly PromiseSettledResult<unknown>[]): GatewayError {
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  const reason = failed ? toGatewayError(failed.reason).message : 'no upstream answered with a result';
  return new GatewayError('upstream_unavailable', `no upstream could be discovered; the first said: ${reason}`);
}
