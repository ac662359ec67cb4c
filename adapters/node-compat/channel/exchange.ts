import type { Dispatcher } from 'undici/index.js';
import { GatewayError } from '../../../src/index.ts';
import type { ChannelRequest, ChannelResponse } from '../../../src/index.ts';
import { type BodySink, StreamSink, TextSink, type Verdict } from './body-sink.ts';
import { classifyExchange } from './classify.ts';
import type { Connection } from './connection.ts';

/** Bytes kept for a reader that has not asked yet, or is slower than the server, before the socket is paused. */
const BUFFER_BYTES = 64 * 1024;
/** How long a paused body waits for somebody to read it before the request is given up. */
const UNREAD_BODY_MS = 60_000;

type Controller = Dispatcher.DispatchController;
type IncomingHeaders = Record<string, string | string[] | undefined>;
type Failure = { readonly reason: unknown };

/** What an exchange needs of the channel it runs on. */
export interface ExchangeOwner {
  finished(exchange: Exchange): void;
  after(delayMs: number, task: () => void): () => void;
}

export interface Settle {
  readonly resolve: (response: ChannelResponse) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * One request and its response: undici's handler and the ChannelResponse in one object, because every call makes one.
 * It ends exactly once, by the last byte, a failure, an abort or `fail`, and always tells whoever waits.
 *
 * A body nobody reads: up to 64 KiB it is taken in and the connection is free again; a longer one is given up after a
 * minute. An endless one that trickles below that holds its connection until the request is aborted.
 */
export class Exchange implements ChannelResponse, Dispatcher.DispatchHandler {
  status = 0;
  headers: Readonly<Record<string, string>> = {};
  /** The client that took the request, and the socket it has now. */
  line: { readonly connection: Connection | undefined } | undefined;
  /** True when undici refused the request before it reached a socket. */
  refused = false;

  readonly #owner: ExchangeOwner;
  readonly #request: ChannelRequest;
  readonly #settle: Settle;
  #controller: Controller | undefined;
  #connection: Connection | undefined;
  #first = false;
  #answered = false;
  #ended = false;
  #failure: Failure | undefined;
  #claimed = false;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #sink: BodySink | undefined;
  #cancelUnread: (() => void) | undefined;

  constructor(owner: ExchangeOwner, request: ChannelRequest, settle: Settle) {
    this.#owner = owner;
    this.#request = request;
    this.#settle = settle;
    request.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The connection that carries it; undefined while it has none. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  get group(): object | undefined {
    return this.#request.group;
  }

  text(limitBytes: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const onOverflow = (): Verdict =>
        new GatewayError('upstream_too_large', `the response is larger than ${limitBytes} bytes`);
      this.#read(new TextSink({ limitBytes, resolve, reject, onOverflow }));
    });
  }

  body(bufferBytes: number): Promise<string | ReadableStream<Uint8Array>> {
    return new Promise((resolve, reject) => {
      const onOverflow = (chunks: readonly Buffer[]): Verdict => {
        const { stream, sink } = this.#openStream();
        this.#sink = sink;
        resolve(stream);
        return chunks.map((chunk) => sink.push(chunk)).at(-1) ?? 'more';
      };
      this.#read(new TextSink({ limitBytes: bufferBytes, resolve, reject, onOverflow }));
    });
  }

  stream(): ReadableStream<Uint8Array> {
    const { stream, sink } = this.#openStream();
    this.#read(sink);
    return stream;
  }

  /** Ends the exchange with `reason`, closing its connection when the response was not complete. */
  fail(reason: unknown): void {
    if (this.#ended) return;
    this.#finish({ reason });
    this.#abort();
  }

  onRequestStart(controller: Controller): void {
    // Thrown, not aborted: undici then drops the request and keeps the connection.
    if (this.#ended) throw new Error('exchange ended');
    this.#controller = controller;
    this.#connection = this.line?.connection;
    this.#first = this.#connection?.answered === false;
  }

  onResponseStart(_: Controller, status: number, headers: IncomingHeaders): void {
    if (this.#connection) this.#connection.answered = true;
    if (status < 200 || this.#ended) return;
    this.#answered = true;
    this.status = status;
    this.headers = joined(headers);
    this.#settle.resolve(this);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#ended) return;
    if (this.#sink) return this.#obey(this.#sink.push(chunk));
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < BUFFER_BYTES || controller.paused) return;
    controller.pause();
    this.#cancelUnread = this.#owner.after(UNREAD_BODY_MS, () =>
      this.fail(new GatewayError('internal', 'a response body was never read')),
    );
  }

  onResponseEnd(): void {
    if (!this.#ended) this.#finish(undefined);
  }

  onResponseError(_: Controller | null | undefined, error: Error): void {
    this.refused = !this.#controller;
    if (this.#ended) return;
    const facts = { first: this.#first, answered: this.#answered };
    this.#finish({ reason: classifyExchange(error, this.#connection, facts) });
  }

  readonly #onAbort = (): void => this.fail(this.#request.signal?.reason);

  #openStream(): { stream: ReadableStream<Uint8Array>; sink: StreamSink } {
    let sink: StreamSink | undefined;
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (sink = new StreamSink(controller)),
        pull: () => this.#resume(),
        cancel: () => this.#cancel(),
      },
      { highWaterMark: BUFFER_BYTES, size: (chunk) => chunk.byteLength },
    );
    if (!sink) throw new TypeError('a stream did not start');
    return { stream, sink };
  }

  /** Hands the reader what arrived before it, then the end or more. */
  #read(sink: BodySink): void {
    if (this.#claimed) throw new TypeError('a response body can be read once');
    this.#claimed = true;
    this.#cancelUnread?.();
    this.#sink = sink;
    if (this.#failure) return sink.error(this.#failure.reason);
    let verdict: Verdict = 'more';
    for (const chunk of this.#chunks) {
      verdict = this.#sink.push(chunk);
      if (verdict instanceof GatewayError) break;
    }
    this.#chunks = [];
    if (verdict instanceof GatewayError && this.#ended) return sink.error(verdict);
    if (this.#ended) this.#sink.end();
    else if (verdict === 'more') this.#resume();
    else this.#obey(verdict);
  }

  #obey(verdict: Verdict): void {
    if (verdict instanceof GatewayError) this.fail(verdict);
    else if (verdict === 'full') this.#controller?.pause();
  }

  #resume(): void {
    if (this.#controller?.paused && !this.#ended) this.#controller.resume();
  }

  /** The reader went away: nobody is left to tell but the caller's `onEnd`. */
  #cancel(): void {
    if (this.#ended) return;
    this.#sink = undefined;
    this.#finish(undefined);
    this.#abort();
  }

  #abort(): void {
    // The reason given here goes nowhere: onResponseError finds the exchange ended.
    this.#controller?.abort(new Error('exchange ended'));
  }

  #finish(failure: Failure | undefined): void {
    this.#ended = true;
    this.#failure = failure;
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#cancelUnread?.();
    this.#owner.finished(this);
    if (!this.#answered) return this.#settle.reject(failure?.reason);
    if (failure) this.#sink?.error(failure.reason);
    else this.#sink?.end();
    const { onEnd } = this.#request;
    if (onEnd) onEnd(failure?.reason instanceof GatewayError ? failure.reason : undefined);
  }
}

/** Repeated fields joined as RFC 9110 section 5.3 allows; undici has lower-cased the names. */
function joined(headers: IncomingHeaders): Record<string, string> {
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) headers[name] = value.join(', ');
  }
  return headers as Record<string, string>;
}
