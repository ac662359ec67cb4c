import type { GatewayError } from '../../src/index.ts';

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

/** Collects chunks up to a limit and decodes them once. */
export class TextSink implements BodySink {
  readonly #options: TextSinkOptions;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(options: TextSinkOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): Verdict {
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    return this.#bytes > this.#options.limitBytes ? this.#options.onOverflow(this.#chunks) : 'more';
  }

  end(): void {
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
