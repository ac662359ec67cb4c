import { asFields, type Fields } from '../base/fields.ts';
import type { ChannelResponse } from '../tls/dialer.ts';
import { isRequest, isResponse, parseMessage, type JsonRpcMessage, type JsonRpcRequest } from '../wire/json-rpc.ts';
import { LISTING_CAPABILITY, LISTING_METHODS, listingsChangedBy, type ListingMethod } from '../wire/mcp.ts';
import { sseEvents } from '../wire/sse.ts';
import { capabilitiesOf, type UpstreamFacts } from './facts.ts';
import type { FollowChanges, WatchEnd, WatchListener } from './listing-watch.ts';
import { discard, modernRequest, type Send } from './own-request.ts';
import type { SharedSession } from './shared-session.ts';

export interface FollowOptions {
  readonly facts: () => UpstreamFacts | undefined;
  readonly send: Send;
  /** The gateway's own legacy session. */
  readonly session: () => Promise<SharedSession>;
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const METHOD_NOT_FOUND = -32601;
/** Fields of a subscription's filter, by capability. @see MCP 2026-07-28, subscriptions */
const FILTERS = {
  tools: 'toolsListChanged',
  prompts: 'promptsListChanged',
  resources: 'resourcesListChanged',
} as const;
/** Statuses that say something about now, not about what the server offers. */
const PASSING = new Set([401, 403, 408, 429]);

/** The listings whose changes an upstream promises to tell. */
export function announcedListings(facts: UpstreamFacts | undefined): readonly ListingMethod[] {
  if (facts === undefined) return [];
  const capabilities = capabilitiesOf(facts);
  return LISTING_METHODS.filter(
    (method) => asFields(capabilities[LISTING_CAPABILITY[method]])?.['listChanged'] === true,
  );
}

/**
 * Follows the stream on which an upstream tells of changes: a subscription in the modern era, the unasked stream of the
 * gateway's own session in the legacy era.
 */
export function followChanges({ facts, send, session }: FollowOptions): FollowChanges {
  return async (listener, signal) => {
    const known = facts();
    const announced = announcedListings(known);
    if (known === undefined || announced.length === 0) return 'refused';
    return known.modern
      ? followModern(send, announced, listener, signal)
      : followLegacy(send, await session(), announced, listener, signal);
  };
}

async function followModern(
  send: Send,
  announced: readonly ListingMethod[],
  listener: WatchListener,
  signal: AbortSignal,
): Promise<WatchEnd> {
  const notifications = Object.fromEntries(announced.map((method) => [FILTERS[LISTING_CAPABILITY[method]], true]));
  const request = modernRequest(0, 'subscriptions/listen', { notifications });
  const response = await send({ ...request, signal });
  if (!isEventStream(response)) return refusal(response);
  for await (const { data } of sseEvents(response.stream())) {
    const message = messageIn(data);
    if (message === undefined) continue;
    if (isResponse(message)) return 'error' in message && message.error.code === METHOD_NOT_FOUND ? 'refused' : 'ended';
    if (message.method === ACKNOWLEDGED)
      listener.opened(granted(announced, asFields(message.params?.['notifications'])));
    else hear(message.method, listener);
  }
  return 'ended';
}

async function followLegacy(
  send: Send,
  session: SharedSession,
  announced: readonly ListingMethod[],
  listener: WatchListener,
  signal: AbortSignal,
): Promise<WatchEnd> {
  const headers = { ...session.headers, accept: 'text/event-stream' };
  const response = await send({ method: 'GET', headers, mcpMethod: 'GET', signal });
  // 404 may mean a lost session: the next call in it notices, and then the new one is watched
  if (!isEventStream(response)) return refusal(response);
  listener.opened(announced);
  for await (const { data } of sseEvents(response.stream())) {
    const message = messageIn(data);
    if (message === undefined || isResponse(message)) continue;
    if (isRequest(message)) await answer(send, session, message, signal);
    else hear(message.method, listener);
  }
  return 'ended';
}

function hear(method: string, listener: WatchListener): void {
  const changed = listingsChangedBy(method);
  if (changed.length > 0) listener.changed(changed);
}

/** What of what was asked for the upstream agreed to tell. */
function granted(announced: readonly ListingMethod[], filter: Fields | undefined): readonly ListingMethod[] {
  return announced.filter((method) => filter?.[FILTERS[LISTING_CAPABILITY[method]]] === true);
}

async function refusal(response: ChannelResponse): Promise<WatchEnd> {
  const { status } = response;
  await discard(response);
  return (status < 500 && !PASSING.has(status)) || status === 501 ? 'refused' : 'ended';
}

/** A server that gets no answer to its ping may end the session; nothing else was offered to it. */
async function answer(send: Send, session: SharedSession, { id, method }: JsonRpcRequest, signal: AbortSignal) {
  const outcome =
    method === 'ping' ? { result: {} } : { error: { code: METHOD_NOT_FOUND, message: 'no client is behind this' } };
  const headers = {
    ...session.headers,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id, ...outcome });
  await discard(await send({ method: 'POST', headers, body, mcpMethod: 'response', signal }));
}

const isEventStream = ({ status, headers }: ChannelResponse): boolean =>
  status === 200 && (headers['content-type'] ?? '').startsWith('text/event-stream');

function messageIn(data: string | undefined): JsonRpcMessage | undefined {
  if (data === undefined || data === '') return undefined;
  try {
    return parseMessage(data);
  } catch {
    return undefined;
  }
}
