import type { CancelSignal } from '../base/cancel-signal.ts';
import type { GatewayError } from '../base/errors.ts';
import type { ChannelRequest, ChannelResponse } from '../tls/dialer.ts';

/** One HTTP request of Streamable HTTP to an upstream. */
export interface UpstreamRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  /** Lower-case names. A session id here is the upstream's, not the caller's. Credentials are added on the way. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: CancelSignal | undefined;
  /** Of an initialize: that its session is for callers who do not know of each other, and can be asked nothing. */
  readonly shared?: true;
  /** The JSON-RPC method, or the HTTP method where there is none: a label for metrics, and decides the time limit. */
  readonly mcpMethod: string;
}

/** A request on its way out, with the observer of its response's end, and whose it is. */
export type TransportRequest = UpstreamRequest & Pick<ChannelRequest, 'onEnd' | 'group'>;

/** What an upstream may turn out to speak. */
export type TransportKind = 'streamable-http' | 'sse' | 'stdio';

/** Carries requests in the manner of Streamable HTTP, whatever the upstream itself speaks. */
export interface UpstreamTransport {
  readonly kind: TransportKind;
  /** @throws GatewayError when no answer came; statuses of any kind are answers. */
  send(request: TransportRequest): Promise<ChannelResponse>;
  /** Ends what it holds open beyond single requests, for this reason; resolves once nothing is left of it. */
  close(reason: GatewayError): Promise<void>;
}

const TOOL_TIMEOUT_MS = 600_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Methods that may compute, or wait for a person, for as long as it takes. */
const LONG = new Set(['tools/call', 'prompts/get', 'resources/read', 'tasks/result']);
/** Streams on which the first byte may come at any time. */
const ENDLESS = new Set(['GET', 'subscriptions/listen']);

/** Whether a request stays open until one side ends it. */
export const isEndless = (mcpMethod: string): boolean => ENDLESS.has(mcpMethod);

/** Milliseconds a relayed request may wait for its response headers; 0 means for ever. */
export function headersTimeoutMs(mcpMethod: string): number {
  if (isEndless(mcpMethod)) return 0;
  return LONG.has(mcpMethod) ? TOOL_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
}
