import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { JSON_TYPE } from '../../wire/media-types.ts';
import { abortError } from '../deadline.ts';
import { EventQueue } from '../event-queue.ts';
import { finished, textResponse } from '../ready-response.ts';
import type { TransportRequest } from '../transport.ts';

export interface StdioReplyOptions {
  readonly clock: Clock;
  /** Milliseconds to the first message; 0 means for ever. */
  readonly limitMs: number;
  /** What its response carries beside the content type. */
  readonly headers: Readonly<Record<string, string>>;
  /** Told once that nothing more is awaited: undefined when the answer came, else why it was given up. */
  readonly onOver: (failure: GatewayError | undefined) => void;
}

/**
 * The response to one request of a program: JSON when the answer is the first that comes, else an event stream. It is
 * given up when its caller leaves or nothing comes in time.
 */
export class StdioReply {
  readonly #request: TransportRequest;
  readonly #options: StdioReplyOptions;
  readonly #first = Promise.withResolvers<ChannelResponse>();
  readonly #onAbort = (): void => this.fail(abortError(this.#request.signal as CancelSignal));
  readonly #stopTimer: () => void;
  #queue: EventQueue | undefined;
  #failure: GatewayError | undefined = new GatewayError('call_cancelled', 'the caller stopped reading');
  #over = false;

  constructor(request: TransportRequest, options: StdioReplyOptions) {
    this.#request = request;
    this.#options = options;
    // whoever sent the request awaits it; one that was never sent is reported by its sender
    this.#first.promise.catch(() => undefined);
    request.signal?.addEventListener('abort', this.#onAbort, { once: true });
    const { clock, limitMs } = options;
    this.#stopTimer =
      limitMs === 0
        ? () => undefined
        : clock.after(limitMs, () =>
            this.fail(new GatewayError('upstream_timeout', `the program did not answer within ${limitMs} ms`)),
          );
  }

  /** Resolves with the first that comes. */
  get response(): Promise<ChannelResponse> {
    return this.#first.promise;
  }

  /** Adds a message that comes before the answer. */
  push(text: string): void {
    if (!this.#over) this.#stream().push(text);
  }

  /** Adds the answer. @param status of its response, if nothing came before it */
  finish(text: string, status: number): void {
    if (this.#over) return;
    this.#failure = undefined;
    if (this.#queue) {
      this.#queue.push(text);
      return this.#queue.end();
    }
    this.#settle();
    const response = textResponse(status, text, { 'content-type': JSON_TYPE, ...this.#options.headers });
    this.#first.resolve(finished(this.#request, response));
  }

  /** Gives the request up. */
  fail(error: GatewayError): void {
    if (this.#over) return;
    this.#failure = error;
    if (this.#queue) return this.#queue.fail(error);
    this.#settle();
    this.#first.reject(error);
  }

  #stream(): EventQueue {
    if (this.#queue) return this.#queue;
    this.#stopTimer();
    this.#queue = new EventQueue(() => this.#settle(), this.#request.onEnd);
    this.#first.resolve(this.#queue.response(this.#options.headers));
    return this.#queue;
  }

  #settle(): void {
    this.#over = true;
    this.#stopTimer();
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#options.onOver(this.#failure);
  }
}
