import { GatewayError } from '../base/errors.ts';

const MAX_LINE_CHARS = 16 * 1024 * 1024;

/** Takes bytes in any split and yields whole lines, in time linear in their number. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  readonly #limitChars: number;
  #partial = '';

  /** @param limitChars the longest line accepted; default 16 Mi characters */
  constructor(limitChars = MAX_LINE_CHARS) {
    this.#limitChars = limitChars;
  }

  /** The lines completed by `chunk`, without their ends. @throws GatewayError upstream_too_large when one exceeds the limit */
  push(chunk: Uint8Array): string[] {
    const [first = '', ...rest] = this.#decoder.decode(chunk, { stream: true }).split('\n');
    this.#partial += first;
    this.#refuseLong();
    if (rest.length === 0) return [];
    const lines = [this.#partial, ...rest];
    this.#partial = lines.pop() ?? '';
    this.#refuseLong();
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  #refuseLong(): void {
    if (this.#partial.length > this.#limitChars)
      throw new GatewayError('upstream_too_large', `a message of the program exceeds ${this.#limitChars} characters`);
  }
}
