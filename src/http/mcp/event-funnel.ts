import { SSE_COMMENT } from '../../wire/sse.ts';
import type { McpServices } from './exchange.ts';

/** Between two comments on a silent stream; intermediaries close what is silent for a minute. */
const KEEP_ALIVE_MS = 15_000;
const BUFFERED_BYTES = 64 * 1024;

/** One event stream to a caller that several sources feed: kept alive, with back-pressure, ended in good order. */
export class EventFunnel {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #stop = new AbortController();
  readonly #clock: McpServices['clock'];
  readonly #draining: AbortSignal;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #wanted: PromiseWithResolvers<void> | undefined;
  #cancelKeepAlive = (): void => undefined;
  #ended = false;

  /** Begins with a comment, so that the caller sees the stream open at once. */
  constructor({ clock, draining }: Pick<McpServices, 'clock' | 'draining'>) {
    this.#clock = clock;
    this.#draining = draining;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#wanted?.resolve(),
        cancel: () => this.#close(),
      },
      { highWaterMark: BUFFERED_BYTES, size: (chunk) => chunk.byteLength },
    );
    draining.addEventListener('abort', this.#onDraining, { once: true });
    if (draining.aborted) this.#onDraining();
    this.#keepAlive();
  }

  /** Aborts when sources are to stop: the caller left, or the gateway is about to. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** Sends bytes; resolves when the caller can take more. Does nothing once the stream has ended. */
  async write(bytes: Uint8Array): Promise<void> {
    const controller = this.#controller;
    if (this.#ended || !controller) return;
    controller.enqueue(bytes);
    if ((controller.desiredSize ?? 0) > 0) return;
    this.#wanted ??= Promise.withResolvers();
    await this.#wanted.promise;
    this.#wanted = undefined;
  }

  /** Has the sources stop, as when the gateway is about to. */
  stop(): void {
    this.#stop.abort();
  }

  /** Ends the stream after what was written. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#close();
    this.#controller?.close();
  }

  readonly #onDraining = (): void => this.stop();

  #keepAlive(): void {
    void this.write(SSE_COMMENT);
    this.#cancelKeepAlive = this.#clock.after(KEEP_ALIVE_MS, () => this.#keepAlive());
  }

  #close(): void {
    this.#ended = true;
    this.#cancelKeepAlive();
    this.#draining.removeEventListener('abort', this.#onDraining);
    this.#wanted?.resolve();
    this.#stop.abort();
  }
}
