import { GatewayError } from '../../base/errors.ts';
import { mergeItems } from '../../catalog/merge.ts';
import { routeOf } from '../../catalog/virtual-server.ts';
import type { Member } from '../../catalog/virtual-server.ts';
import type { LegacySession } from '../../session/legacy-session.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { withDeadline } from '../../upstream/deadline.ts';
import { discard } from '../../upstream/own-request.ts';
import type { JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../wire/json-rpc.ts';
import { isListing, LISTINGS, renamed, targetOf } from '../../wire/mcp.ts';
import type { ListingMethod, Target } from '../../wire/mcp.ts';
import { acceptedAnswer, eventsAnswer, isEventStream, relayedAnswer, resultAnswer } from './answers.ts';
import { parseRequestId, rewrittenEvents, taggedEvent } from './event-tags.ts';
import { MEMBER_DEADLINE_MS } from './exchange.ts';
import type { Exchange, McpServices } from './exchange.ts';
import { finalMessage } from './final-message.ts';
import { listMembers } from './joined-listing.ts';
import { speaksLegacy } from './upstream-initialize.ts';
import type { LegacyLegs, SessionLegs } from './legacy-legs.ts';

/** A legacy request to several upstreams behind one address. */
export async function joinedRequest(
  services: McpServices,
  exchange: Exchange,
  legs: LegacyLegs,
  request: JsonRpcRequest,
): Promise<Response> {
  const { method, id } = request;
  if (method === 'ping') return resultAnswer(id, {});
  if (isListing(method)) return listing(services, exchange, legs, request, method);
  if (method === 'logging/setLevel') return setLevel(services, exchange, legs, request);
  const target = targetOf(request);
  const route = routeOf(exchange.server, target);
  if (route === undefined) throw unroutable(method, target, 200);
  const sent = route.upstreamName === undefined ? request : renamed(request, route.upstreamName);
  const text = sent === request ? exchange.text : JSON.stringify(sent);
  return taggedAnswer(route.member, await legs.send(route.member, sent, text));
}

/**
 * Why a request leads to no upstream.
 *
 * @param unknownMethodStatus 404 in the modern era; 200 in the legacy era, where 404 means a lost session
 */
export function unroutable(method: string, target: Target, unknownMethodStatus: number): GatewayError {
  if (target.by === 'none')
    return new GatewayError('not_found', `method ${shown(method)} is not known here`, {
      details: { rpcCode: -32601, rpcStatus: unknownMethodStatus },
    });
  return new GatewayError('not_found', `nothing here is called ${shown(target.value)}`, {
    details: { rpcCode: -32602, rpcStatus: 200 },
  });
}

/** A name as an answer repeats it: long enough to be recognised. */
const shown = (name: string): string => name.slice(0, 128);

async function listing(
  services: McpServices,
  exchange: Exchange,
  legs: LegacyLegs,
  request: JsonRpcRequest,
  method: ListingMethod,
): Promise<Response> {
  const listings = await listMembers(
    services,
    exchange,
    participants(exchange),
    method,
    async (member, cursor, signal) => {
      const page = { ...request, params: { ...request.params, ...(cursor !== undefined && { cursor }) } };
      return finalMessage(await legs.send(member, page, JSON.stringify(page), signal));
    },
  );
  return resultAnswer(request.id, { [LISTINGS[method].member]: mergeItems(method, listings) });
}

async function setLevel(
  services: McpServices,
  exchange: Exchange,
  legs: LegacyLegs,
  request: JsonRpcRequest,
): Promise<Response> {
  const logging = participants(exchange).filter(
    ({ upstream }) => upstream.facts?.legacy?.capabilities['logging'] !== undefined,
  );
  await Promise.allSettled(
    logging.map((member) =>
      withDeadline(services.clock, MEMBER_DEADLINE_MS, exchange.signal, async (signal) =>
        finalMessage(await legs.send(member, request, exchange.text, signal)),
      ),
    ),
  );
  return resultAnswer(request.id, {});
}

/** Members that can take part in a legacy exchange. */
function participants({ server }: Exchange): readonly Member[] {
  return server.members.filter(({ upstream }) => speaksLegacy(upstream));
}

async function taggedAnswer(member: Member, response: ChannelResponse): Promise<Response> {
  if (!isEventStream(response) || response.status !== 200) return relayedAnswer(response);
  const { id } = member.upstream.config;
  return eventsAnswer(rewrittenEvents(response.stream(), (event) => taggedEvent(id, event)));
}

/** The caller's answer to something one upstream asked. */
export async function answerUpstream(
  exchange: Exchange,
  legs: SessionLegs,
  message: JsonRpcResponse,
): Promise<Response> {
  const asked = parseRequestId(message.id);
  const member = exchange.server.members.find(({ upstream }) => upstream.config.id === asked?.upstreamId);
  if (!asked || !member)
    throw new GatewayError('request_invalid', 'the answer is to nothing that was asked in this session', {
      details: { rpcCode: -32600 },
    });
  return relayedAnswer(await legs.post(member.upstream, 'response', JSON.stringify({ ...message, id: asked.value })));
}

/** A notification for everyone: upstreams ignore the ids they do not know. */
export async function broadcast(
  exchange: Exchange,
  legs: SessionLegs,
  session: LegacySession,
  message: JsonRpcNotification,
): Promise<Response> {
  const listeners = exchange.server.members.filter(
    ({ upstream }) => session.upstream(upstream.config.id) !== undefined,
  );
  const sent = listeners.map(async ({ upstream }) => {
    const response = await legs.post(upstream, message.method, exchange.text);
    await discard(response);
  });
  await Promise.allSettled(sent);
  return acceptedAnswer();
}
