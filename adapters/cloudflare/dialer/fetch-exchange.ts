import { GatewayError } from '../../../src/index.ts';
import type { ChannelRequest, ChannelResponse, Clock } from '../../../src/index.ts';
import type { Fetcher } from '../bindings.ts';
import { classify } from './classify.ts';

/** How requests of one channel go out. */
export interface WayOut {
  readonly origin: string;
  readonly fetcher: Fetcher;
  readonly clock: Clock;
  /** Milliseconds to the response headers for requests that do not say; 0 means no limit. */
  readonly headersTimeoutMs: number;
}

/**
 * One request and its response. It ends exactly once: by the last byte, a failure, an abort or `fail`, and always tells
 * whoever waits, whatever the platform makes of its own streams meanwhile.
 */
export class FetchExchange implements ChannelResponse {
  status = 0;
  headers: Readonly<Record<string, string>> = {};
  readonly #request: ChannelRequest;
  readonly #way: WayOut;
  readonly #onFinished: () => void;
  readonly #platform = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Fails whatever is waited for now. */
  #refuse: ((reason: unknown) => void) | undefined;
  #answered = false;
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;

  constructor(request: ChannelRequest, way: WayOut, onFinished: () => void) {
    this.#request = request;
    this.#way = way;
    this.#onFinished = onFinished;
    request.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get group(): object | undefined {
    return this.#request.group;
  }

  /** Sends it, once. */
  async send(): Promise<ChannelResponse> {
    const { clock, headersTimeoutMs } = this.#way;
    const limitMs = this.#request.headersTimeoutMs ?? headersTimeoutMs;
    const cancel = limitMs > 0 ? clock.after(limitMs, () => this.fail(tooLate())) : undefined;
    try {
      const response = await this.#unlessFailed(this.#fetch());
      this.#answered = true;
      this.status = response.status;
      this.headers = headersOf(response);
      this.#reader = response.body?.getReader();
      if (this.#reader === undefined) this.#finish(undefined);
      return this;
    } finally {
      cancel?.();
    }
  }

  async text(limitBytes: number): Promise<string> {
    const { text, chunks } = await this.#collect(limitBytes);
    if (text !== undefined) return text;
    chunks.length = 0;
    const error = new GatewayError('upstream_too_large', `the response is larger than ${limitBytes} bytes`);
    this.fail(error);
    throw error;
  }

  async body(bufferBytes: number): Promise<string | ReadableStream<Uint8Array>> {
    const { text, chunks } = await this.#collect(bufferBytes);
    return text ?? this.#streamAfter(chunks);
  }

  stream(): ReadableStream<Uint8Array> {
    return this.#streamAfter([]);
  }

  /** Ends the exchange with `reason`, and with it what the platform does for it. */
  fail(reason: unknown): void {
    if (this.#ended) return;
    this.#finish({ reason });
    this.#refuse?.(reason);
    this.#stop();
  }

  /** The reader went away: nobody is left to tell but the caller's `onEnd`. */
  #leave(): void {
    if (this.#ended) return;
    this.#finish(undefined);
    this.#stop();
  }

  /** The reason is not for the platform, which may tell it elsewhere. */
  #stop(): void {
    this.#platform.abort();
    this.#reader?.cancel().catch(() => undefined);
  }

  async #fetch(): Promise<Response> {
    const { method, path, headers, body } = this.#request;
    const { origin, fetcher } = this.#way;
    const url = new URL(origin + path);
    if (url.origin !== origin) throw new GatewayError('request_invalid', 'a path leads to another origin');
    const { signal } = this.#platform;
    try {
      return await fetcher.fetch(url.href, {
        method,
        headers,
        ...(body !== undefined && { body }),
        redirect: 'manual',
        // what a cache answers, the server behind an identity did not say
        cache: 'no-store',
        signal,
      });
    } catch (error) {
      throw classify(error, origin);
    }
  }

  /** What the platform answers, or why it was given up before. */
  #unlessFailed<T>(work: Promise<T>): Promise<T> {
    if (this.#failure) return Promise.reject(this.#failure.reason);
    return new Promise((resolve, reject) => {
      this.#refuse = reject;
      work.then(
        (value) => {
          this.#refuse = undefined;
          resolve(value);
        },
        (error: unknown) => {
          this.#refuse = undefined;
          if (!this.#ended) this.#finish({ reason: error });
          reject(this.#failure?.reason);
        },
      );
    });
  }

  /** The next part of the body; undefined at its end. */
  async #read(): Promise<Uint8Array | undefined> {
    if (this.#failure) throw this.#failure.reason;
    if (this.#reader === undefined || this.#ended) return undefined;
    const reading = this.#reader.read().catch((error: unknown) => {
      throw classify(error, this.#way.origin);
    });
    const { done, value } = await this.#unlessFailed(reading);
    if (done) this.#finish(undefined);
    return done ? undefined : value;
  }

  /** The whole body as text, where it fits; what was read in any case. */
  async #collect(limitBytes: number): Promise<{ readonly text: string | undefined; readonly chunks: Uint8Array[] }> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for (let chunk = await this.#read(); chunk !== undefined; chunk = await this.#read()) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > limitBytes) return { text: undefined, chunks };
    }
    const decoder = new TextDecoder();
    const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode();
    return { text, chunks };
  }

  #streamAfter(chunks: Uint8Array[]): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          for (const chunk of chunks) controller.enqueue(chunk);
        },
        pull: async (controller) => {
          const chunk = await this.#read();
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        },
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    );
  }

  readonly #onAbort = (): void => this.fail(this.#request.signal?.reason);

  #finish(failure: { readonly reason: unknown } | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#onFinished();
    if (this.#answered) this.#request.onEnd?.(failure && errorOf(failure.reason));
  }
}

/** A body that was decoded on the way is not encoded any more, nor as long. */
function headersOf({ headers }: Response): Readonly<Record<string, string>> {
  const joined: Record<string, string> = {};
  for (const [name, value] of headers) joined[name] = name in joined ? `${joined[name]}, ${value}` : value;
  if (!('content-encoding' in joined)) return joined;
  const { 'content-encoding': _, 'content-length': __, ...rest } = joined;
  return rest;
}

const errorOf = (reason: unknown): GatewayError | undefined => (reason instanceof GatewayError ? reason : undefined);

function tooLate(): GatewayError {
  return new GatewayError('upstream_timeout', 'the upstream sent no response in time', {
    hint: 'see what the upstream is busy with',
  });
}
