import { utf8 } from '../../base/bytes.ts';
import { sseEvents } from '../../wire/sse.ts';
import type { SseEvent } from '../../wire/sse.ts';
import type { JsonRpcId } from '../../wire/json-rpc.ts';

/**
 * Where several upstreams speak on one stream, event ids and the ids of their requests carry the upstream they came
 * from, so that answers and resumptions find their way back without any table.
 */
const SEPARATOR = '.';
const REQUEST_TAG = 'gw:';

/** What a tagged id stood for. */
export interface Tagged<T> {
  readonly upstreamId: string;
  readonly value: T;
}

/** The upstream and its own event id in a Last-Event-ID; undefined when we never sent it. */
export function parseEventId(eventId: string): Tagged<string> | undefined {
  const at = eventId.indexOf(SEPARATOR);
  return at <= 0 ? undefined : { upstreamId: eventId.slice(0, at), value: eventId.slice(at + 1) };
}

/** The upstream and its own request id in a caller's answer; undefined when we never sent it. */
export function parseRequestId(id: JsonRpcId | null): Tagged<JsonRpcId> | undefined {
  if (typeof id !== 'string' || !id.startsWith(REQUEST_TAG)) return undefined;
  const at = id.indexOf(':', REQUEST_TAG.length);
  if (at < 0) return undefined;
  try {
    const value: unknown = JSON.parse(id.slice(at + 1));
    if (typeof value !== 'string' && typeof value !== 'number') return undefined;
    return { upstreamId: id.slice(REQUEST_TAG.length, at), value };
  } catch {
    return undefined;
  }
}

/** A stream with every event of `source` passed through `rewrite`; events it answers undefined for are dropped. */
export function rewrittenEvents(
  source: ReadableStream<Uint8Array>,
  rewrite: (event: SseEvent) => string | undefined,
): ReadableStream<Uint8Array> {
  const events = sseEvents(source);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await events.next();
        if (done) return controller.close();
        const block = rewrite(value);
        if (block !== undefined) return controller.enqueue(utf8(`${block}\n\n`));
      }
    },
    async cancel() {
      await events.return(undefined);
    },
  });
}

/** Marks one upstream's event: its event id and, when it asks the caller something, its request id. */
export function taggedEvent(upstreamId: string, event: SseEvent): string {
  const request = event.data === undefined ? undefined : serverRequest(event.data);
  const data = request
    ? JSON.stringify({ ...request, id: `${REQUEST_TAG}${upstreamId}:${JSON.stringify(request['id'])}` })
    : event.data;
  return eventBlock({
    ...event,
    id: event.id === undefined ? undefined : `${upstreamId}${SEPARATOR}${event.id}`,
    data,
  });
}

/** The lines of an event block; `retry` and unknown fields of the original are kept. */
export function eventBlock(event: SseEvent): string {
  const kept = event.raw.split(/\r\n|\n|\r/).filter((line) => line !== '' && !/^(?:id|data|event)(?::|$)/.test(line));
  if (event.id !== undefined) kept.push(`id: ${event.id}`);
  if (event.event !== undefined) kept.push(`event: ${event.event}`);
  if (event.data !== undefined) kept.push(...event.data.split('\n').map((line) => `data: ${line}`));
  return kept.join('\n');
}

function serverRequest(data: string): Readonly<Record<string, unknown>> | undefined {
  // most events are notifications and results: look before parsing
  if (!data.includes('"method"') || !data.includes('"id"')) return undefined;
  try {
    const message = JSON.parse(data) as Readonly<Record<string, unknown>>;
    return typeof message['method'] === 'string' && 'id' in message ? message : undefined;
  } catch {
    return undefined;
  }
}
