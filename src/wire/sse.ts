import { utf8 } from '../base/bytes.ts';

/** One server-sent event; `data` is undefined for events without a data line (priming events, comments). */
export interface SseEvent {
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly data: string | undefined;
  /** The lines of the block as received, without the blank line that ends it. */
  readonly raw: string;
}

/** Takes bytes in any split and yields whole event blocks. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
export class SseParser {
  readonly #decoder = new TextDecoder();
  #buffer = '';
  readonly #limitChars: number;

  /** @param limitChars the longest block accepted; default 16 Mi characters */
  constructor(limitChars = 16 * 1024 * 1024) {
    this.#limitChars = limitChars;
  }

  /** The events completed by `chunk`. @throws RangeError when one block exceeds the limit */
  push(chunk: Uint8Array): SseEvent[] {
    this.#buffer += this.#decoder.decode(chunk, { stream: true });
    const events: SseEvent[] = [];
    for (;;) {
      const end = BLOCK_END.exec(this.#buffer);
      if (!end) break;
      events.push(parseBlock(this.#buffer.slice(0, end.index)));
      this.#buffer = this.#buffer.slice(end.index + end[0].length);
    }
    if (this.#buffer.length > this.#limitChars) throw new RangeError(`an event exceeds ${this.#limitChars} characters`);
    return events;
  }
}

// a lone CR at the very end may be half of CRLF, so it does not end a block yet
const BLOCK_END = /\r\n\r\n|\n\n|\r\r(?!\n)(?=[^])|\n\r\n|\r\n\n/;
const LINE_END = /\r\n|\n|\r/;

function parseBlock(raw: string): SseEvent {
  let event: string | undefined;
  let id: string | undefined;
  let data: string | undefined;
  for (const line of raw.split(LINE_END)) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    else if (field === 'event') event = value;
    else if (field === 'id') id = value;
  }
  return { event, id, data, raw };
}

/** The bytes of one `message` event. */
export function sseMessage(data: string, id?: string): Uint8Array {
  return utf8(`${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${data}\n\n`);
}

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
