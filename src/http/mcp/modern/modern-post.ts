import { abortSignalOf } from '../../../base/cancel-signal.ts';
import { GatewayError } from '../../../base/errors.ts';
import type { Route } from '../../../catalog/member.ts';
import { encodeName, NAME } from '../../../wire/headers.ts';
import { isRequest } from '../../../wire/json-rpc.ts';
import type { JsonRpcMessage, JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { isListing } from '../../../wire/mcp.ts';
import { RPC } from '../../../wire/rpc-codes.ts';
import { relayedAnswer } from '../relayed-answer.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { discover, listing } from './joined-modern.ts';
import { listen } from './listen.ts';
import { checkEnvelope, isModernMethod } from './modern-envelope.ts';
import { sendBridged, sendModern, speaksModern } from './modern-legs.ts';
import { routeOf, unroutable } from '../route-of.ts';
import { routedRequest } from '../routed-request.ts';

/**
 * A POST of the modern era: no session, one request, one response; closing it cancels it upstream.
 *
 * On a single upstream of this era the body is not looked at: that upstream compares headers and body itself.
 * @see MCP 2026-07-28, transports, Streamable HTTP
 */
export async function modernPost(
  services: McpServices,
  exchange: Exchange,
  message: JsonRpcMessage,
): Promise<Response> {
  const { server } = exchange;
  const [first] = server.members;
  if (!server.transparent || !first) return joined(services, exchange, requestIn(exchange, message));
  const asItIs = speaksModern(first, exchange);
  if (asItIs === true || (await asItIs)) {
    const label = labelOf(message);
    const signal = label === 'subscriptions/listen' ? untilStop(services, exchange) : exchange.signal;
    const response = await sendModern(exchange, first, label, exchange.text, {}, signal);
    return relayedAnswer(response, isRequest(message) ? message.id : undefined);
  }
  const request = requestIn(exchange, message);
  if (!isModernMethod(request.method)) throw unroutable(request.method, { by: 'none' }, 404);
  if (request.method === 'subscriptions/listen') return listen(services, exchange, request);
  return relayedAnswer(await sendBridged(services, exchange, first, request), request.id);
}

async function joined(services: McpServices, exchange: Exchange, request: JsonRpcRequest): Promise<Response> {
  const { method } = request;
  if (method === 'server/discover') return discover(services, exchange, request);
  if (isListing(method)) return listing(services, exchange, request, method);
  if (method === 'subscriptions/listen') return listen(services, exchange, request);
  const route = routeOf(services, exchange, request, 404);
  return relayedAnswer(await sendRouted(services, exchange, request, route), request.id);
}

async function sendRouted(services: McpServices, exchange: Exchange, request: JsonRpcRequest, route: Route) {
  const { member, upstreamName } = route;
  const { sent, text } = routedRequest(route, request, exchange.text);
  const asItIs = speaksModern(member, exchange);
  if (!(asItIs === true || (await asItIs))) return sendBridged(services, exchange, member, sent);
  const isNamed = upstreamName !== undefined && exchange.request.headers.has(NAME);
  return sendModern(exchange, member, request.method, text, isNamed ? { [NAME]: encodeName(upstreamName) } : {});
}

/** The request in a message, its envelope checked. @throws GatewayError request_invalid, and as `checkEnvelope` */
function requestIn({ request: { headers } }: Exchange, message: JsonRpcMessage): JsonRpcRequest {
  if (!isRequest(message))
    throw new GatewayError('request_invalid', 'the modern era has requests only', {
      details: { rpcCode: RPC.invalidRequest },
    });
  checkEnvelope(headers, message);
  return message;
}

/** A stream without an end of its own ends with its caller, when the gateway is about to stop, or with the policy. */
const untilStop = ({ draining, policies }: McpServices, { signal }: Exchange): AbortSignal =>
  AbortSignal.any([abortSignalOf(signal), draining, policies.inForce.superseded]);

const labelOf = (message: JsonRpcMessage): string => ('method' in message ? message.method : 'response');
