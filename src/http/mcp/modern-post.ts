import { abortSignalOf } from '../../base/cancel-signal.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Member } from '../../catalog/virtual-server.ts';
import { META, MODERN_VERSIONS, LEGACY_VERSIONS } from '../../wire/eras.ts';
import { decodeName, encodeName, METHOD, NAME, PROTOCOL_VERSION } from '../../wire/headers.ts';
import { isRequest } from '../../wire/json-rpc.ts';
import type { JsonRpcMessage, JsonRpcRequest } from '../../wire/json-rpc.ts';
import { isListing, renamed, targetOf } from '../../wire/mcp.ts';
import { routeOf } from '../../catalog/virtual-server.ts';
import { relayedAnswer } from './answers.ts';
import type { Exchange, McpServices } from './exchange.ts';
import { unroutable } from './joined-legacy.ts';
import { discover, listing } from './joined-modern.ts';
import { listen } from './listen.ts';
import { sendModern } from './modern-legs.ts';

/**
 * A POST of the modern era: no session, one request, one response; closing it cancels it upstream.
 *
 * On a single upstream the body is not looked at: that upstream compares headers and body itself.
 * @see MCP 2026-07-28, transports, Streamable HTTP
 */
export async function modernPost(
  services: McpServices,
  exchange: Exchange,
  message: JsonRpcMessage,
): Promise<Response> {
  const { server } = exchange;
  const [first] = server.members;
  if (server.transparent && first) {
    refuseLegacyOnly(exchange, first);
    const label = labelOf(message);
    const signal = label === 'subscriptions/listen' ? untilStop(services, exchange) : exchange.signal;
    return relayedAnswer(await sendModern(exchange, first, label, exchange.text, {}, signal));
  }
  if (!isRequest(message))
    throw new GatewayError('request_invalid', 'the modern era has requests only', { details: { rpcCode: -32600 } });
  checkEnvelope(exchange, message);
  return joined(services, exchange, message);
}

async function joined(services: McpServices, exchange: Exchange, request: JsonRpcRequest): Promise<Response> {
  const { method } = request;
  if (method === 'server/discover') return discover(services, exchange, request);
  if (isListing(method)) return listing(services, exchange, request, method);
  if (method === 'subscriptions/listen') return listen(services, exchange, request);
  const target = targetOf(request);
  const route = routeOf(exchange.server, target);
  if (route === undefined) throw unroutable(method, target, 404);
  refuseLegacyOnly(exchange, route.member);
  if (route.upstreamName === undefined)
    return relayedAnswer(await sendModern(exchange, route.member, method, exchange.text));
  const text = JSON.stringify(renamed(request, route.upstreamName));
  const changed: Record<string, string> = exchange.request.headers.has(NAME)
    ? { [NAME]: encodeName(route.upstreamName) }
    : {};
  return relayedAnswer(await sendModern(exchange, route.member, method, text, changed));
}

/** What the upstream would check itself, had its request not been rewritten or answered here. */
function checkEnvelope({ request: { headers } }: Exchange, request: JsonRpcRequest): void {
  const meta = request.params?.['_meta'] as Readonly<Record<string, unknown>> | undefined;
  const version = headers.get(PROTOCOL_VERSION) ?? '';
  const inBody = meta?.[META.protocolVersion];
  if (inBody === undefined || meta?.[META.clientCapabilities] === undefined)
    throw new GatewayError(
      'request_invalid',
      `params._meta lacks ${META.protocolVersion} or ${META.clientCapabilities}`,
      { details: { rpcCode: -32602, rpcStatus: 400 } },
    );
  if (inBody !== version) throw mismatch(PROTOCOL_VERSION);
  if (!MODERN_VERSIONS.includes(version)) throw unsupported(version);
  if (headers.get(METHOD) !== request.method) throw mismatch(METHOD);
  const named = NAMED.has(request.method) ? targetOf(request) : undefined;
  if (named && named.by !== 'none' && decodeName(headers.get(NAME) ?? '') !== named.value) throw mismatch(NAME);
}

const NAMED = new Set(['tools/call', 'prompts/get', 'resources/read']);

const mismatch = (header: string): GatewayError =>
  new GatewayError('header_mismatch', `the header ${header} and the body do not agree`);

function refuseLegacyOnly({ request }: Exchange, { upstream }: Member): void {
  if (upstream.facts && !upstream.facts.modern)
    throw unsupported(request.headers.get(PROTOCOL_VERSION) ?? '', LEGACY_VERSIONS);
}

function unsupported(requested: string, supported: readonly string[] = MODERN_VERSIONS): GatewayError {
  return new GatewayError(
    'protocol_version_unsupported',
    `protocol version ${requested.slice(0, 40)} is not supported here`,
    {
      details: { rpcData: { supported, requested } },
    },
  );
}

/** A stream without an end of its own ends with its caller, or when the gateway is about to stop. */
const untilStop = ({ draining }: McpServices, { signal }: Exchange): AbortSignal =>
  AbortSignal.any([abortSignalOf(signal), draining]);

const labelOf = (message: JsonRpcMessage): string => ('method' in message ? message.method : 'response');
