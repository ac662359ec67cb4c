import { GatewayError } from '../base/errors.ts';
import type { ChannelResponse } from '../tls/dialer.ts';
import { eventsResponse } from './ready-response.ts';
import { SSE_COMMENT, sseMessage } from '../wire/sse.ts';

/** What a reader who does not read may leave waiting. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

type Done = (failure: GatewayError | undefined) => void;

/** Events on their way to one reader, as the body of a response. */
export class EventQueue {
  readonly #stream: ReadableStream<Uint8Array>;
  readonly #release: () => void;
  readonly #onEnd: Done | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  /**
   * @param release called once when nothing more will be pushed, whatever the reason
   * @param onEnd called once when the response ended, failed or lost its reader
   */
  constructor(release: () => void, onEnd: Done | undefined) {
    this.#release = release;
    this.#onEnd = onEnd;
    this.#stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        cancel: () => {
          if (this.#finish()) this.#onEnd?.(undefined);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
    );
  }

  /** Adds one message. */
  push(data: string): void {
    this.#enqueue(sseMessage(data));
  }

  /** Makes intermediaries pass the headers on. */
  flush(): void {
    this.#enqueue(SSE_COMMENT);
  }

  /** Gives the queue up before it became a response: only what it held is released. */
  abandon(): void {
    this.#finish();
  }

  end(): void {
    const controller = this.#finish();
    if (controller === undefined) return;
    controller.close();
    this.#onEnd?.(undefined);
  }

  fail(error: GatewayError): void {
    const controller = this.#finish();
    if (controller === undefined) return;
    controller.error(error);
    this.#onEnd?.(error);
  }

  /** The queue as a response with status 200. */
  response(headers: Readonly<Record<string, string>>): ChannelResponse {
    return eventsResponse(this.#stream, headers);
  }

  #enqueue(bytes: Uint8Array): void {
    if (this.#controller === undefined) return;
    this.#controller.enqueue(bytes);
    if ((this.#controller.desiredSize ?? 0) <= 0)
      this.fail(new GatewayError('upstream_too_large', `more than ${MAX_WAITING_BYTES} bytes of events wait unread`));
  }

  /** The controller, the first time only. */
  #finish(): ReadableStreamDefaultController<Uint8Array> | undefined {
    const controller = this.#controller;
    if (controller === undefined) return undefined;
    this.#controller = undefined;
    this.#release();
    return controller;
  }
}
