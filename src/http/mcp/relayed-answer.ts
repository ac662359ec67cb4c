import { GatewayError } from '../../base/errors.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { refusalOf } from '../../upstream/own-request.ts';
import type { JsonRpcId } from '../../wire/json-rpc.ts';
import { isEventStream, isJson } from '../../wire/media-types.ts';
import { eventsAnswer, JSON_HEADERS } from './answers.ts';
import { withBreakTold } from './broken-stream.ts';

/** Bytes of a JSON answer that are held in memory at most; larger ones are streamed. */
const BUFFERED_BYTES = 1024 * 1024;

/**
 * An upstream's answer for the caller: its status, its JSON or its events, and none of its headers.
 *
 * @param id the request it answers, where it answers one
 * @throws GatewayError upstream_auth_refused, upstream_redirect, upstream_http_status, upstream_protocol
 */
export async function relayedAnswer(response: ChannelResponse, id?: JsonRpcId): Promise<Response> {
  if (isEventStream(response)) {
    const events = response.stream();
    return eventsAnswer(id === undefined ? events : withBreakTold(events, id));
  }
  const { status } = response;
  assertRelayable(response);
  if (isJson(response)) {
    const body = await response.body(BUFFERED_BYTES);
    return new Response(body, { status, headers: JSON_HEADERS });
  }
  const text = await response.text(BUFFERED_BYTES);
  if (status === 202 || status === 204 || text === '') return new Response(null, { status });
  throw notMcp(response);
}

/**
 * Refuses what is no answer of an MCP server.
 *
 * @throws GatewayError upstream_auth_refused, upstream_redirect, loop_detected, upstream_http_status
 */
export function assertRelayable(response: ChannelResponse): void {
  const refusal = refusalOf(response);
  // a failing server may say so in JSON-RPC
  if (refusal && !(refusal.code === 'upstream_http_status' && isJson(response))) throw refusal;
}

function notMcp(response: ChannelResponse): GatewayError {
  const type = response.headers['content-type']?.slice(0, 80) ?? 'no content type';
  return new GatewayError(
    'upstream_protocol',
    `the upstream answered status ${response.status} with ${type}, not with MCP`,
  );
}
