import type { GatewayError } from '../../../src/index.ts';

/** What a sink says to a chunk: go on, pause, or stop for good. */
export type Verdict = 'more' | 'full' | GatewayError;

/** Where the bytes of a response go. */
export interface BodySink {
  push(chunk: Buffer): Verdict;
  end(): void;
  error(reason: unknown): void;
}

export interface TextSinkOptions {
  readonly limitBytes: number;
  readonly resolve: (text: string) => void;
  readonly reject: (reason: unknown) => void;
  /** Takes over all chunks, the one that was too much included. */
  readonly onOverflow: (chunks: readonly Buffer[]) => Verdict;
}

/** Chunks smaller than this are copied together: a Buffer for each byte would cost a hundred times its contents. */
const SMALL_BYTES = 1024;
const BLOCK_BYTES = 16 * 1024;

/** Collects chunks up to a limit and decodes them once. */
export class TextSink implements BodySink {
  readonly #options: TextSinkOptions;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #block: Buffer | undefined;
  #blockBytes = 0;

  constructor(options: TextSinkOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): Verdict {
    this.#bytes += chunk.length;
    if (chunk.length >= SMALL_BYTES || this.#chunks.length === 0) {
      this.#endBlock();
      this.#chunks.push(chunk);
    } else {
      this.#copy(chunk);
    }
    if (this.#bytes <= this.#options.limitBytes) return 'more';
    this.#endBlock();
    return this.#options.onOverflow(this.#chunks);
  }

  #copy(chunk: Buffer): void {
    if (this.#block && this.#blockBytes + chunk.length > BLOCK_BYTES) this.#endBlock();
    this.#block ??= Buffer.allocUnsafe(BLOCK_BYTES);
    this.#blockBytes += chunk.copy(this.#block, this.#blockBytes);
  }

  #endBlock(): void {
    if (this.#block) this.#chunks.push(this.#block.subarray(0, this.#blockBytes));
    this.#block = undefined;
    this.#blockBytes = 0;
  }

  end(): void {
    this.#endBlock();
    const [only] = this.#chunks;
    const whole = only && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks, this.#bytes);
    const hasByteOrderMark = whole[0] === 0xef && whole[1] === 0xbb && whole[2] === 0xbf;
    this.#options.resolve(whole.toString('utf8', hasByteOrderMark ? 3 : 0));
  }

  error(reason: unknown): void {
    this.#options.reject(reason);
  }
}

/** Passes chunks on as they arrive. */
export class StreamSink implements BodySink {
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;

  constructor(controller: ReadableStreamDefaultController<Uint8Array>) {
    this.#controller = controller;
  }

  push(chunk: Buffer): Verdict {
    this.#controller.enqueue(chunk);
    return (this.#controller.desiredSize ?? 0) > 0 ? 'more' : 'full';
  }

  end(): void {
    this.#controller.close();
  }

  error(reason: unknown): void {
    this.#controller.error(reason);
  }
}
