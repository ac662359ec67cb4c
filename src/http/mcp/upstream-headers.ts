import type { Upstream } from '../../upstream/upstream.ts';
import { isForwarded, PROTOCOL_VERSION, SESSION_ID } from '../../wire/headers.ts';
import { POST_HEADERS } from '../../wire/media-types.ts';
import { VIA } from '../../wire/via.ts';

const PATH_HEADERS = ['traceparent', 'tracestate', 'baggage', VIA] as const;

/**
 * Headers of a legacy request upstream. They are built from what the session knows, not copied from the caller, whose
 * Authorization never leaves the gateway.
 */
export function legacyHeaders(
  request: Request,
  upstream: Upstream,
  session: { readonly id: string; readonly protocolVersion: string },
): Record<string, string> {
  const headers: Record<string, string> = {
    ...POST_HEADERS,
    [PROTOCOL_VERSION]: session.protocolVersion,
  };
  if (session.id !== '') headers[SESSION_ID] = session.id;
  return { ...headers, ...passedHeaders(request, upstream) };
}

/** What of a caller's headers goes upstream whatever the era: traces, the gateways on the way, and those this upstream is to see. */
export function passedHeaders(request: Request, upstream: Upstream): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of PATH_HEADERS) copy(request, name, headers);
  for (const name of upstream.config.passthroughHeaders) copy(request, name, headers);
  return headers;
}

/** Headers of a modern request upstream: what MCP lets intermediaries forward, with `changed` in place. */
export function modernHeaders(
  request: Request,
  upstream: Upstream,
  changed: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) if (isForwarded(name)) headers[name] = value;
  for (const name of upstream.config.passthroughHeaders) copy(request, name, headers);
  return { ...headers, ...POST_HEADERS, ...changed };
}

function copy(request: Request, name: string, into: Record<string, string>): void {
  const value = request.headers.get(name);
  if (value !== null) into[name] = value;
}
