import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { SESSION_ID } from '../../wire/headers.ts';
import type { JsonRpcId } from '../../wire/json-rpc.ts';
import { mcpStatusOf, rpcCodeOf } from '../respond.ts';

const JSON_TYPE = 'application/json';
const SSE_TYPE = 'text/event-stream';

/** A JSON-RPC result as an HTTP answer. */
export function resultAnswer(id: JsonRpcId, result: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify({ jsonrpc: '2.0', id, result }), {
    headers: { 'content-type': JSON_TYPE, ...headers },
  });
}

/** What an error may say about its JSON-RPC form where the code alone does not decide it. */
interface RpcDetails {
  readonly rpcCode?: number;
  readonly rpcData?: object;
  readonly rpcStatus?: number;
}

/**
 * A failure as a JSON-RPC error: the caller sees the code and a safe sentence, the hint stays with the operator.
 *
 * What failed behind the gateway is answered with status 200, since the exchange with the gateway itself succeeded and
 * clients throw away the body of other statuses.
 */
export function errorAnswer(id: JsonRpcId | null, thrown: unknown): Response {
  const error = toGatewayError(thrown);
  const { rpcCode, rpcData, rpcStatus: status = mcpStatusOf(error.code) } = (error.details ?? {}) as RpcDetails;
  const body = {
    jsonrpc: '2.0',
    id,
    error: { code: rpcCode ?? rpcCodeOf(error.code), message: error.message, data: { ...rpcData, code: error.code } },
  };
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': JSON_TYPE } });
}

/** 202 without a body: a notification or an answer was taken. */
export function acceptedAnswer(): Response {
  return new Response(null, { status: 202 });
}

/** A stream of server-sent events; nothing between here and the caller may buffer or rewrite it. */
export function eventsAnswer(
  body: ReadableStream<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    headers: {
      'content-type': SSE_TYPE,
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...headers,
    },
  });
}

export const isEventStream = (response: ChannelResponse): boolean => hasType(response, SSE_TYPE);
export const isJson = (response: ChannelResponse): boolean => hasType(response, JSON_TYPE);
const hasType = (response: ChannelResponse, type: string): boolean =>
  response.headers['content-type']?.toLowerCase().startsWith(type) ?? false;

/** Bytes of a JSON answer that are held in memory at most; larger ones are streamed. */
const BUFFERED_BYTES = 1024 * 1024;

/**
 * An upstream's answer for the caller: its status, its JSON or its events, and none of its headers but those MCP needs.
 *
 * @throws GatewayError upstream_auth_refused, upstream_redirect, upstream_http_status, upstream_protocol
 */
export async function relayedAnswer(response: ChannelResponse, sessionId?: string): Promise<Response> {
  const session: Record<string, string> = sessionId === undefined ? {} : { [SESSION_ID]: sessionId };
  if (isEventStream(response) && response.status === 200) return eventsAnswer(response.stream(), session);
  const { status } = response;
  assertRelayable(response);
  if (isJson(response)) {
    const body = await response.body(BUFFERED_BYTES);
    return new Response(body, { status, headers: { 'content-type': JSON_TYPE, ...session } });
  }
  const text = await response.text(BUFFERED_BYTES);
  if (status === 202 || status === 204 || text === '') return new Response(null, { status, headers: session });
  throw notMcp(response);
}

/**
 * Refuses what is no answer of an MCP server.
 *
 * @throws GatewayError upstream_auth_refused, upstream_redirect, upstream_http_status
 */
export function assertRelayable(response: ChannelResponse): void {
  const { status } = response;
  if (status === 401 || status === 403)
    throw new GatewayError('upstream_auth_refused', `the upstream refused our credentials with status ${status}`, {
      hint: 'check auth_type and its fields of this gateway',
    });
  if (status >= 300 && status < 400)
    throw new GatewayError('upstream_redirect', `the upstream redirects (status ${status}), which is never followed`, {
      hint: 'register the address it redirects to',
    });
  if (status >= 500 && !isJson(response))
    throw new GatewayError('upstream_http_status', `the upstream failed with status ${status}`);
}

function notMcp(response: ChannelResponse): GatewayError {
  const type = response.headers['content-type']?.slice(0, 80) ?? 'no content type';
  return new GatewayError(
    'upstream_protocol',
    `the upstream answered status ${response.status} with ${type}, not with MCP`,
  );
}
