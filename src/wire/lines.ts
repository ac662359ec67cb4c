const LF = 0x0a;

/**
 * Takes bytes in any split and yields whole lines, as stdio frames messages: UTF-8, ended by LF or CRLF. A line beyond
 * the limit is dropped to its end and yielded as undefined; empty lines are passed over.
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
      this.#grow(chunk.subarray(start, end));
      lines.push(...this.end());
      start = end + 1;
    }
    this.#grow(chunk.subarray(start));
    return lines;
  }

  /** The last line, when the stream ended without ending it. */
  end(): (string | undefined)[] {
    const isTooLong = this.#size > this.#limitBytes;
    const line = (this.#partial + this.#decoder.decode()).replace(/\r$/, '');
    this.#partial = '';
    this.#size = 0;
    if (isTooLong) return [undefined];
    return line === '' ? [] : [line];
  }

  #grow(bytes: Uint8Array): void {
    this.#size += bytes.byteLength;
    if (this.#size > this.#limitBytes) this.#partial = '';
    else this.#partial += this.#decoder.decode(bytes, { stream: true });
  }
}
