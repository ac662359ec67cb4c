import type { ChannelResponse } from '../../tls/dialer.ts';
import { META } from '../../wire/eras.ts';
import type { JsonRpcRequest } from '../../wire/json-rpc.ts';
import { sseEvents, sseMessage, SSE_COMMENT } from '../../wire/sse.ts';
import { eventsAnswer, isEventStream } from './answers.ts';
import type { Exchange, McpServices } from './exchange.ts';
import { modernMembers, sendModern } from './joined-modern.ts';

type Fields = Readonly<Record<string, unknown>>;

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
/** How long one slow upstream may hold back the merged acknowledgement. */
const ACKNOWLEDGE_WAIT_MS = 2_500;
const KEEP_ALIVE_MS = 15_000;

/**
 * subscriptions/listen over all members: one merged acknowledgement, then every notification as it comes.
 *
 * Upstreams get the caller's own request id, so the subscription id in their notifications is already right.
 * @see MCP 2026-07-28, subscriptions
 */
export function listen(services: McpServices, exchange: Exchange, request: JsonRpcRequest): Response {
  const closed = new AbortController();
  return eventsAnswer(
    new ReadableStream<Uint8Array>({
      start(controller) {
        void follow(services, exchange, request, controller, closed.signal);
      },
      cancel() {
        closed.abort();
      },
    }),
  );
}

async function follow(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
  out: ReadableStreamDefaultController<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const members = modernMembers(exchange);
  const granted: Fields[] = [];
  const held: string[] = [];
  let waitingFor = members.length;
  let acknowledged = false;

  const write = (bytes: Uint8Array): void => {
    if (!signal.aborted) out.enqueue(bytes);
  };
  const acknowledge = (): void => {
    if (acknowledged) return;
    acknowledged = true;
    const params = { notifications: mergeFilters(granted), _meta: { [META.subscriptionId]: request.id } };
    write(sseMessage(JSON.stringify({ jsonrpc: '2.0', method: ACKNOWLEDGED, params })));
    for (const data of held.splice(0)) write(sseMessage(data));
  };
  const settled = (): void => {
    waitingFor--;
    if (waitingFor <= 0) acknowledge();
  };

  write(SSE_COMMENT);
  const stopWaiting = services.clock.after(ACKNOWLEDGE_WAIT_MS, acknowledge);
  const stopKeepAlive = repeat(services, KEEP_ALIVE_MS, () => write(SSE_COMMENT));
  if (members.length === 0) acknowledge();

  await Promise.allSettled(
    members.map(async (member) => {
      let answered = false;
      try {
        const response = await sendModern(exchange, member, request.method, exchange.text, {}, signal);
        for await (const data of notifications(response)) {
          const message = JSON.parse(data) as Fields;
          if (message['method'] === ACKNOWLEDGED && !answered) {
            answered = true;
            granted.push(((message['params'] as Fields | undefined)?.['notifications'] ?? {}) as Fields);
            settled();
          } else if ('method' in message) {
            if (acknowledged) write(sseMessage(data));
            else held.push(data);
          }
        }
      } finally {
        if (!answered) settled();
      }
    }),
  );
  stopWaiting();
  stopKeepAlive();
  acknowledge();
  const result = { resultType: 'complete', _meta: { [META.subscriptionId]: request.id } };
  write(sseMessage(JSON.stringify({ jsonrpc: '2.0', id: request.id, result })));
  if (!signal.aborted) out.close();
}

async function* notifications(response: ChannelResponse): AsyncGenerator<string> {
  if (!isEventStream(response)) return;
  for await (const { data } of sseEvents(response.stream())) if (data) yield data;
}

function repeat({ clock }: McpServices, everyMs: number, task: () => void): () => void {
  let stop = clock.after(everyMs, function again() {
    task();
    stop = clock.after(everyMs, again);
  });
  return () => stop();
}

/** What is watched when any upstream watches it; resource lists are joined. */
function mergeFilters(filters: readonly Fields[]): Fields {
  const merged: Record<string, unknown> = {};
  for (const filter of filters)
    for (const [name, value] of Object.entries(filter)) {
      const known = merged[name];
      merged[name] = Array.isArray(value) && Array.isArray(known) ? [...new Set([...known, ...value])] : known || value;
    }
  return merged;
}
