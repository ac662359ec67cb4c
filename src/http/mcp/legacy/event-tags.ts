import { utf8 } from '../../../base/bytes.ts';
import { isFields } from '../../../base/fields.ts';
import { isNestedTooDeep } from '../../../wire/nesting.ts';
import { sseEvents } from '../../../wire/sse.ts';
import type { SseEvent } from '../../../wire/sse.ts';
import type { JsonRpcId } from '../../../wire/json-rpc.ts';

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

/**
 * Marks one upstream's event: its event id and, when it asks the caller something, its request id. What holds several
 * messages, or what nobody can look into, goes without its data: a mark must not be forged.
 */
export function taggedEvent(upstreamId: string, event: SseEvent): string {
  return eventBlock({
    ...event,
    id: event.id === undefined ? undefined : `${upstreamId}${SEPARATOR}${event.id}`,
    data: event.data === undefined ? undefined : taggedData(upstreamId, event.data),
  });
}

function taggedData(upstreamId: string, data: string): string | undefined {
  if (!mayAsk(data)) return data;
  if (isNestedTooDeep(data)) return undefined;
  const message = parsed(data);
  if (Array.isArray(message)) return undefined;
  if (!isFields(message) || typeof message['method'] !== 'string' || !('id' in message)) return data;
  return JSON.stringify({ ...message, id: `${REQUEST_TAG}${upstreamId}:${JSON.stringify(message['id'])}` });
}

/** Most events are notifications and results, so it pays to look before parsing; names may be written with escapes. */
const mayAsk = (data: string): boolean =>
  (data.includes('"method"') && data.includes('"id"')) || data.includes('\\u00') || /^\s*\[/.test(data);

/** The lines of an event block; `retry` and unknown fields of the original are kept. */
export function eventBlock(event: SseEvent): string {
  const kept = event.raw.split(/\r\n|\n|\r/).filter((line) => line !== '' && !/^(?:id|data|event)(?::|$)/.test(line));
  if (event.id !== undefined) kept.push(`id: ${event.id}`);
  if (event.event !== undefined) kept.push(`event: ${event.event}`);
  if (event.data !== undefined) kept.push(...event.data.split('\n').map((line) => `data: ${line}`));
  return kept.join('\n');
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
