import { GatewayError } from '../../../base/errors.ts';
import type { LegacySession } from '../../../session/legacy-session.ts';
import { META } from '../../../wire/eras.ts';
import { PROTOCOL_VERSION, SESSION_ID } from '../../../wire/headers.ts';
import { isRequest, isResponse } from '../../../wire/json-rpc.ts';
import type { JsonRpcMessage } from '../../../wire/json-rpc.ts';
import { acceptedAnswer } from '../answers.ts';
import { relayedAnswer } from '../relayed-answer.ts';
import { sessionLegs, statelessLegs } from './bridged-legs.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { joinedRequest, broadcast, answerUpstream } from './joined-legacy.ts';
import { initialize } from './legacy-initialize.ts';

/**
 * A POST of the legacy era.
 *
 * @see MCP 2025-11-25, transports, Streamable HTTP
 */
export async function legacyPost(
  services: McpServices,
  exchange: Exchange,
  message: JsonRpcMessage,
): Promise<Response> {
  refuseHeaderlessEnvelope(message);
  if (isRequest(message) && message.method === 'initialize') return initialize(services, exchange, message);
  const named = sessionOf(services, exchange);
  const session = named instanceof Promise ? await named : named;
  if (session === undefined) return statelessPost(services, exchange, message);
  const legs = sessionLegs(services, exchange, session);
  const [first] = exchange.server.members;
  if (exchange.server.transparent && first) {
    if (isRequest(message)) return relayedAnswer(await legs.send(first, message, exchange.text), message.id);
    return relayedAnswer(await legs.post(first.upstream, message, exchange.text));
  }
  if (isRequest(message)) return joinedRequest(services, exchange, legs, message);
  if (isResponse(message)) return answerUpstream(exchange, legs, message);
  return broadcast(exchange, legs, session, message);
}

/** A caller without a session cannot be asked or told anything, so only its requests lead somewhere. */
async function statelessPost(services: McpServices, exchange: Exchange, message: JsonRpcMessage): Promise<Response> {
  if (!isRequest(message)) return acceptedAnswer();
  const legs = statelessLegs(services, exchange);
  const [first] = exchange.server.members;
  if (exchange.server.transparent && first)
    return relayedAnswer(await legs.send(first, message, exchange.text), message.id);
  return joinedRequest(services, exchange, legs, message);
}

/** The session a request names; undefined when it names none. @throws GatewayError session_not_found */
export function sessionOf(
  services: McpServices,
  { request, principal, server }: Exchange,
): LegacySession | Promise<LegacySession> | undefined {
  const token = request.headers.get(SESSION_ID);
  return token === null ? undefined : services.sessions.resume(token, principal.subject, server.key);
}

function refuseHeaderlessEnvelope(message: JsonRpcMessage): void {
  const meta = 'params' in message ? message.params?.['_meta'] : undefined;
  if (typeof meta !== 'object' || meta === null || !(META.protocolVersion in meta)) return;
  throw new GatewayError(
    'header_mismatch',
    `the body carries the ${META.protocolVersion} of a modern request, the header ${PROTOCOL_VERSION} does not`,
  );
}
