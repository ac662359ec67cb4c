import { GatewayError } from '../../../base/errors.ts';
import type { Member } from '../../../catalog/member.ts';
import type { LegacySession } from '../../../session/legacy-session.ts';
import type { ChannelResponse } from '../../../tls/dialer.ts';
import { withDeadline } from '../../../upstream/deadline.ts';
import { discard } from '../../../upstream/own-request.ts';
import type { JsonRpcId, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../../wire/json-rpc.ts';
import { isListing } from '../../../wire/mcp.ts';
import { isEventStream } from '../../../wire/media-types.ts';
import { RPC } from '../../../wire/rpc-codes.ts';
import type { SseEvent } from '../../../wire/sse.ts';
import { acceptedAnswer, eventsAnswer, resultAnswer } from '../answers.ts';
import { withBreakTold } from '../broken-stream.ts';
import { relayedAnswer } from '../relayed-answer.ts';
import { parseRequestId, rewrittenEvents, taggedEvent } from './event-tags.ts';
import { MEMBER_DEADLINE_MS } from '../exchange.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { finalMessage } from '../final-message.ts';
import { isHiddenNews } from '../hidden-news.ts';
import { joinedListing } from '../lists/joined-listing.ts';
import { isToldByUs } from '../lists/list-news.ts';
import { routeOf, shown } from '../route-of.ts';
import { routedRequest } from '../routed-request.ts';
import { speaksLegacy, takesPart } from './upstream-initialize.ts';
import type { LegacyLegs, LegacySessionLegs } from './legacy-legs.ts';

/** A legacy request to several upstreams behind one address. */
export async function joinedRequest(
  services: McpServices,
  exchange: Exchange,
  legs: LegacyLegs,
  request: JsonRpcRequest,
): Promise<Response> {
  const { method, id } = request;
  if (method === 'ping') return resultAnswer(id, {});
  if (isListing(method))
    return joinedListing(services, exchange, request, method, 'legacy', async (member, page, signal) =>
      finalMessage(await legs.send(member, page, JSON.stringify(page), signal)),
    );
  if (method === 'logging/setLevel') return setLevel(services, exchange, legs, request);
  const route = routeOf(services, exchange, request, 200);
  const { sent, text } = routedRequest(route, request, exchange.text);
  return taggedAnswer(exchange, route.member, await legs.send(route.member, sent, text), id);
}

/** Of the upstreams behind the bridge one is told: their level is the session's. */
async function setLevel(
  services: McpServices,
  exchange: Exchange,
  legs: LegacyLegs,
  request: JsonRpcRequest,
): Promise<Response> {
  const logging = exchange.server.members.filter(({ upstream: { facts } }) => {
    const { capabilities } = facts?.legacy ?? facts?.modern ?? {};
    return capabilities?.['logging'] !== undefined;
  });
  const bridged = logging.find(({ upstream }) => !speaksLegacy(upstream));
  const told = logging.filter((member) => member === bridged || speaksLegacy(member.upstream));
  await Promise.allSettled(
    told.map((member) =>
      withDeadline(services.clock, MEMBER_DEADLINE_MS, exchange.signal, async (signal) =>
        finalMessage(await legs.send(member, request, exchange.text, signal)),
      ),
    ),
  );
  return resultAnswer(request.id, {});
}

async function taggedAnswer(
  { server }: Exchange,
  member: Member,
  response: ChannelResponse,
  id: JsonRpcId,
): Promise<Response> {
  if (!isEventStream(response)) return relayedAnswer(response);
  const { upstream } = member;
  const rewrite = (event: SseEvent): string | undefined => {
    if (isHiddenNews(server, member, event.data)) return undefined;
    // told on the caller's own stream as well, but it may have none
    isToldByUs(upstream, event.data);
    return taggedEvent(upstream.config.id, event);
  };
  return eventsAnswer(withBreakTold(rewrittenEvents(response.stream(), rewrite), id));
}

/** The caller's answer to something one upstream asked. */
export async function answerUpstream(
  exchange: Exchange,
  legs: LegacySessionLegs,
  message: JsonRpcResponse,
): Promise<Response> {
  const asked = parseRequestId(message.id);
  const member = exchange.server.members.find(({ upstream }) => upstream.config.id === asked?.upstreamId);
  if (!asked || !member)
    throw new GatewayError('request_invalid', 'the answer is to nothing that was asked in this session', {
      details: { rpcCode: RPC.invalidRequest },
    });
  const answer = { ...message, id: asked.value };
  return relayedAnswer(await legs.post(member.upstream, answer, JSON.stringify(answer)));
}

/** A notification for everyone: upstreams ignore the ids they do not know. */
export async function broadcast(
  { server, text }: Exchange,
  legs: LegacySessionLegs,
  session: LegacySession,
  message: JsonRpcNotification,
): Promise<Response> {
  if (!message.method.startsWith('notifications/'))
    throw new GatewayError('request_invalid', `${shown(message.method)} is no notification, so it needs an id`, {
      details: { rpcCode: RPC.invalidRequest },
    });
  const listeners = server.members.filter(({ upstream }) => takesPart(session, upstream));
  const sent = listeners.map(async ({ upstream }) => discard(await legs.post(upstream, message, text)));
  await Promise.allSettled(sent);
  return acceptedAnswer();
}
