import { utf8 } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';

/** One server-sent event; `data` is undefined for events without a data line (priming events, comments). */
export interface SseEvent {
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly data: string | undefined;
  /** How long the server wants to be left alone before the stream is opened again. */
  readonly retryMs?: number;
  /** The lines of the block as received, joined by LF, without the blank line that ends it. */
  readonly raw: string;
}

const MAX_EVENT_CHARS = 16 * 1024 * 1024;
/** No stream is left alone for longer than some hours. */
const RETRY = /^\d{1,7}$/;

/**
 * Takes bytes in any split and yields whole event blocks, in time linear in their number. A block that the stream
 * leaves unfinished is no event.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class SseParser {
  readonly #decoder = new TextDecoder();
  readonly #limitChars: number;
  #lines: string[] = [];
  #partial = '';
  #size = 0;
  #afterCr = false;

  /** @param limitChars the longest block accepted; default 16 Mi characters */
  constructor(limitChars = MAX_EVENT_CHARS) {
    this.#limitChars = limitChars;
  }

  /** The events completed by `chunk`. @throws GatewayError upstream_too_large when one block exceeds the limit */
  push(chunk: Uint8Array): SseEvent[] {
    const text = this.#decoder.decode(chunk, { stream: true });
    const events: SseEvent[] = [];
    if (text === '') return events;
    // the LF of a CRLF that was split after its CR
    let start = this.#afterCr && text.startsWith('\n') ? 1 : 0;
    this.#afterCr = text.endsWith('\r');
    const lineEnd = /\r\n?|\n/g;
    lineEnd.lastIndex = start;
    for (let end = lineEnd.exec(text); end !== null; end = lineEnd.exec(text)) {
      this.#endLine(text.slice(start, end.index), events);
      start = lineEnd.lastIndex;
    }
    this.#grow(text.length - start);
    this.#partial += text.slice(start);
    return events;
  }

  #endLine(rest: string, events: SseEvent[]): void {
    const line = this.#partial + rest;
    this.#partial = '';
    if (line !== '') {
      this.#grow(rest.length);
      this.#lines.push(line);
    } else if (this.#lines.length > 0) {
      events.push(parseBlock(this.#lines));
      this.#lines = [];
      this.#size = 0;
    }
  }

  #grow(chars: number): void {
    this.#size += chars;
    if (this.#size > this.#limitChars)
      throw new GatewayError('upstream_too_large', `an event exceeds ${this.#limitChars} characters`);
  }
}

function parseBlock(lines: readonly string[]): SseEvent {
  let event: string | undefined;
  let id: string | undefined;
  let data: string | undefined;
  let retryMs: number | undefined;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    else if (field === 'event') event = value;
    else if (field === 'id') id = value;
    else if (field === 'retry' && RETRY.test(value)) retryMs = Number(value);
  }
  return { event, id, data, ...(retryMs !== undefined && { retryMs }), raw: lines.join('\n') };
}

/** The bytes of one `message` event. */
export function sseMessage(data: string, id?: string): Uint8Array<ArrayBuffer> {
  const lines = data.replaceAll(/\r\n?|\n/g, '\ndata: ');
  return utf8(`${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${lines}\n\n`);
}

/** The bytes of a comment: makes intermediaries flush and means nothing. */
export const SSE_COMMENT = utf8(':\n\n');

/** Every event of a byte stream; ends with it and cancels it when the consumer stops early. */
export async function* sseEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  const parser = new SseParser();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** How long the end of a stream is waited for once nothing of it is needed any more. */
const LINGER_MS = 1_000;

/**
 * The first thing `pick` makes of an event, undefined when the stream ends without one. A server ends its stream right
 * after the answer: reading up to there, in the background, lets the connection be used again.
 */
export async function pickEvent<T>(
  stream: ReadableStream<Uint8Array>,
  pick: (event: SseEvent) => T | undefined,
): Promise<T | undefined> {
  const parser = new SseParser();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      for (const event of parser.push(value)) {
        const picked = pick(event);
        if (picked === undefined) continue;
        readRest(reader).catch(() => undefined);
        return picked;
      }
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error;
  }
}

/** Reads a stream to its end, if that comes soon: its connection can be used again then. */
export async function readRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const deadline = AbortSignal.timeout(LINGER_MS);
  const giveUp = () => void reader.cancel().catch(() => undefined);
  deadline.addEventListener('abort', giveUp, { once: true });
  try {
    while (!(await reader.read()).done);
  } finally {
    deadline.removeEventListener('abort', giveUp);
  }
}
