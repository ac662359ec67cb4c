import { PRODUCT } from '../base/product.ts';
import { GatewayError } from '../base/errors.ts';
import type { ChannelResponse } from '../tls/dialer.ts';
import { META, MODERN_VERSION } from '../wire/eras.ts';
import { METHOD, NAME, PROTOCOL_VERSION, encodeName } from '../wire/headers.ts';
import { isResponse, messageIn, type JsonRpcResponse } from '../wire/json-rpc.ts';
import { targetOf } from '../wire/mcp.ts';
import { isEventStream, isJson, POST_HEADERS } from '../wire/media-types.ts';
import { pickEvent } from '../wire/sse.ts';
import type { UpstreamRequest } from './transport.ts';

/** Sends one request; a transport with whatever its owner adds. */
export type Send = (request: UpstreamRequest) => Promise<ChannelResponse>;

export type Params = Readonly<Record<string, unknown>>;

/** What came back for a request of the gateway's own. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined when the body was no JSON-RPC response; then `status` is not 200. */
  readonly message: JsonRpcResponse | undefined;
}

/** The longest answer read for the gateway's own use. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const DISCARDED_BYTES = 64 * 1024;

/** A request of the legacy era, in the session `session` names. */
export function legacyRequest(id: number, method: string, params: Params, session: Readonly<Record<string, string>>) {
  return {
    method: 'POST',
    headers: { ...POST_HEADERS, ...session },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
    mcpMethod: method,
  } as const satisfies UpstreamRequest;
}

/** A notification of the legacy era. */
export function legacyNotification(method: string, session: Readonly<Record<string, string>>, params?: Params) {
  return {
    method: 'POST',
    headers: { ...POST_HEADERS, ...session },
    body: JSON.stringify({ jsonrpc: '2.0', method, params }),
    mcpMethod: method,
  } as const satisfies UpstreamRequest;
}

/** A request of the modern era: envelope in `_meta`, routing in headers. @see MCP 2026-07-28, transports */
export function modernRequest(id: number, method: string, params: Params) {
  const target = method === 'completion/complete' ? undefined : targetOf({ method, params });
  const envelope = {
    [META.protocolVersion]: MODERN_VERSION,
    [META.clientCapabilities]: {},
    [META.clientInfo]: PRODUCT,
  };
  return {
    method: 'POST',
    headers: {
      ...POST_HEADERS,
      [PROTOCOL_VERSION]: MODERN_VERSION,
      [METHOD]: method,
      ...(target !== undefined && target.by !== 'none' && { [NAME]: encodeName(target.value) }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope } }),
    mcpMethod: method,
  } as const satisfies UpstreamRequest;
}

/**
 * Sends a request of the gateway's own and reads its answer, JSON or the last message of an event stream. Statuses are
 * left to the caller.
 *
 * @throws GatewayError upstream_protocol for a 200 that is not MCP, upstream_too_large, and dial codes
 */
export async function ask(send: Send, request: UpstreamRequest, signal: AbortSignal): Promise<Answer> {
  const response = await send({ ...request, signal });
  const { status, headers } = response;
  if (isEventStream(response)) return { status, headers, message: await lastMessage(response) };
  if (isJson(response)) {
    const message = responseIn(await response.text(MAX_ANSWER_BYTES));
    if (message !== undefined || status !== 200) return { status, headers, message };
  } else {
    await discard(response);
    if (status !== 200) return { status, headers, message: undefined };
  }
  const type = headers['content-type']?.slice(0, 80) ?? 'no content type';
  throw new GatewayError('upstream_protocol', `expected an MCP answer, met ${type}`, {
    hint: 'check the path of the URL: this address answers, but not with MCP',
  });
}

/** Reads a body nobody needs, so that its connection can be used again; a long one is cut off. */
export async function discard(response: ChannelResponse): Promise<void> {
  const rest = await response.body(DISCARDED_BYTES);
  if (typeof rest !== 'string') await rest.cancel();
}

async function lastMessage(response: ChannelResponse): Promise<JsonRpcResponse> {
  const message = await pickEvent(response.stream(), ({ data }) => (data === undefined ? undefined : responseIn(data)));
  if (message !== undefined) return message;
  throw new GatewayError('upstream_protocol', 'the upstream ended its event stream without an answer');
}

function responseIn(text: string): JsonRpcResponse | undefined {
  const message = messageIn(text);
  return message && isResponse(message) ? message : undefined;
}

/** @see https://www.rfc-editor.org/rfc/rfc5842#section-7.2 */
const LOOP_DETECTED = 508;

/** What a status says that no MCP answer does: a redirect, refused credentials, a failing server. */
export function refusalOf({ status, headers }: Pick<Answer, 'status' | 'headers'>): GatewayError | undefined {
  const details = { status };
  if (status >= 300 && status < 400)
    return new GatewayError(
      'upstream_redirect',
      `the upstream redirects${originIn(headers['location'])} with status ${status}`,
      {
        hint: 'redirects are not followed, since that would show our credentials and client certificate to another address; register the address it leads to',
        details,
      },
    );
  if (status === 401 || status === 403)
    return new GatewayError('upstream_auth_refused', `the upstream refused our credentials with status ${status}`, {
      hint: 'check the auth fields of this gateway, and which client certificates the upstream admits',
      details,
    });
  if (status === LOOP_DETECTED)
    return new GatewayError('loop_detected', 'the requests to this upstream come back to this gateway', {
      hint: 'a gateway must not be registered behind itself, nor behind one that stands behind it',
      details,
    });
  if (status >= 500)
    return new GatewayError('upstream_http_status', `the upstream failed with status ${status}`, { details });
  return undefined;
}

/** Only the origin: the rest of a location may repeat credentials. */
function originIn(location: string | undefined): string {
  const url = location === undefined ? null : URL.parse(location);
  return url === null ? '' : ` to ${url.origin}`;
}

/**
 * The JSON-RPC response in an answer, result or error.
 *
 * @throws GatewayError upstream_protocol when there is none, upstream_redirect, upstream_auth_refused, upstream_http_status
 */
export function messageOf(answer: Answer, method: string): JsonRpcResponse {
  const refusal = refusalOf(answer);
  if (refusal) throw refusal;
  if (answer.message) return answer.message;
  throw new GatewayError('upstream_protocol', `the upstream answered ${method} with status ${answer.status}`);
}
