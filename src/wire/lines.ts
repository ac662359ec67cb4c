const LF = 0x0a;

/**
 * Takes bytes in any split and yields whole lines, as stdio frames messages: UTF-8, ended by LF or CRLF. A line beyond
 * the limit is yielded as undefined, at once, and passed over to its end; empty lines are passed over too.
 *
 * @see MCP 2025-11-25, transports, stdio
 */
export class LineParser {
  readonly #decoder = new TextDecoder();
  readonly #limitBytes: number;
  #partial = '';
  #size = 0;

  /** @param limitBytes the longest line accepted, without its end */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The lines completed by `chunk`. */
  push(chunk: Uint8Array): (string | undefined)[] {
    const lines: (string | undefined)[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      lines.push(...this.#grow(chunk.subarray(start, end)), ...this.end());
      start = end + 1;
    }
    lines.push(...this.#grow(chunk.subarray(start)));
    return lines;
  }

  /** The last line, when the stream ended without ending it. */
  end(): string[] {
    const wasDropped = this.#size > this.#limitBytes;
    const line = (this.#partial + this.#decoder.decode()).replace(/\r$/, '');
    this.#partial = '';
    this.#size = 0;
    return wasDropped || line === '' ? [] : [line];
  }

  /** Adds to the line; that it is too long, when that has just been found. */
  #grow(bytes: Uint8Array): undefined[] {
    const wasDropped = this.#size > this.#limitBytes;
    this.#size += bytes.byteLength;
    if (this.#size <= this.#limitBytes) {
      this.#partial += this.#decoder.decode(bytes, { stream: true });
      return [];
    }
    this.#partial = '';
    return wasDropped ? [] : [undefined];
  }
}

/**
 * A JSON text as one line: outside of strings line breaks mean nothing, inside they are escaped already. Two characters
 * that JSON allows in strings end lines for some readers, Node's readline among them.
 */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
}
