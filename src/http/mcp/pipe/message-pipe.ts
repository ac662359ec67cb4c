import { GatewayError, toGatewayError } from '../../../base/errors.ts';
import { isNotification, isRequest, isResponse, parseMessage } from '../../../wire/json-rpc.ts';
import { RPC } from '../../../wire/rpc-codes.ts';
import type { JsonRpcId, JsonRpcMessage, JsonRpcNotification, JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { oneLine } from '../../../wire/lines.ts';
import { failureOf } from '../answers.ts';
import { MESSAGE_BYTES, refusalOf, skip } from './pipe-answer.ts';
import { PipedRequest } from './piped-request.ts';
import { PipeSession } from './pipe-session.ts';
import type { PipeSend, PipeSessionOptions } from './pipe-session.ts';

export interface PipeOptions extends Pick<PipeSessionOptions, 'clock'> {
  readonly send: PipeSend;
  /** Takes a message for the client, as text without line breaks; resolves when the next may come, never rejects. */
  readonly deliver: (text: string) => Promise<void>;
  /** Told of every failure on the way to the server, before the client is; default nobody is. */
  readonly onFailure?: (error: GatewayError) => void;
}

/** Requests of one client that may be in flight at the same time; as many messages may wait to be read or told. */
const MAX_IN_FLIGHT = 256;
/** How long a request beyond that waits for another one to end. */
const ROOM_WAIT_MS = 10_000;

/**
 * A two-way stream of JSON-RPC messages in front of Streamable HTTP, in both eras: each message of the client becomes
 * a request, each message of its answer goes to the client as it comes. What the transport asks for beyond that (the
 * legacy session, the standing stream, headers of the modern era, closing as cancelling) happens here.
 *
 * @see MCP 2025-11-25 and 2026-07-28, transports, Streamable HTTP
 */
export class MessagePipe {
  readonly #options: PipeOptions;
  readonly #session: PipeSession;
  readonly #inFlight = new Map<string, PipedRequest>();
  /** Those whose answer was delivered, but not read to the end of its stream, are among them. */
  readonly #running = new Map<PipedRequest, Promise<void>>();
  readonly #lifetime = new AbortController();
  /** Messages the client has not read yet, and those of its own nobody has taken yet. */
  #waitingCount = 0;
  /** Messages nobody answers go one after the other. */
  #oneWay = Promise.resolve();
  /** What may only go once the session stands waits for this. */
  #opened = Promise.resolve();
  #isFinishing = false;
  #closing: Promise<void> | undefined;
  readonly #onRoom = new Set<() => void>();

  constructor(options: PipeOptions) {
    this.#options = options;
    this.#session = new PipeSession({
      ...options,
      take: (_message, text) => this.#deliver(text),
      onFailure: (error) => options.onFailure?.(error),
    });
  }

  /** True while as many requests are in flight as may be, or the client does not read what it is told. */
  get isFull(): boolean {
    return this.#inFlight.size >= MAX_IN_FLIGHT || this.#waitingCount >= MAX_IN_FLIGHT;
  }

  /** Takes one message of the client; resolves when the next may come, not when it was answered. Never rejects. */
  async take(text: string): Promise<void> {
    if (this.#closing) return;
    let message: JsonRpcMessage;
    try {
      message = parseMessage(text);
    } catch (error) {
      return this.fail(null, toGatewayError(error));
    }
    if (isRequest(message)) return this.#takeRequest(message, text);
    if (isNotification(message) && message.method === 'notifications/cancelled')
      return this.#takeCancellation(message, text);
    return this.#tell(message, text);
  }

  /** Answers a request, or with `null` what could not be read as one, with an error. */
  fail(id: JsonRpcId | null, error: GatewayError): Promise<void> {
    return this.#deliver(JSON.stringify(failureOf(id, error)));
  }

  /** Refuses further requests; resolves once those in flight are answered and what was told has been taken. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    while (this.#running.size > 0) await Promise.all(this.#running.values());
    await this.#oneWay;
  }

  /** Ends the streams that have no end of their own. */
  stopListening(): void {
    this.#session.stopListening();
    for (const entry of this.#inFlight.values())
      if (entry.request.method === 'subscriptions/listen') entry.abort(stopped());
  }

  /** Ends everything: requests in flight are answered with `reason`, the session is ended at the server. Idempotent. */
  close(reason: GatewayError): Promise<void> {
    return (this.#closing ??= this.#close(reason));
  }

  async #close(reason: GatewayError): Promise<void> {
    this.#session.stopListening();
    this.#lifetime.abort(reason);
    for (const entry of this.#running.keys()) entry.abort(reason);
    for (const go of this.#onRoom) go();
    await Promise.all(this.#running.values());
    await this.#session.close();
  }

  async #takeRequest(request: JsonRpcRequest, text: string): Promise<void> {
    if (this.isFull) await this.#untilRoom();
    const key = JSON.stringify(request.id);
    const refusal = this.#refusal(key);
    if (refusal) return this.fail(request.id, refusal);
    const entry = new PipedRequest(request, text, {
      session: this.#session,
      clock: this.#options.clock,
      deliver: (line) => this.#deliver(line),
      onFailure: (error) => this.#options.onFailure?.(error),
      onAnswered: () => {
        this.#inFlight.delete(key);
        this.#makeRoom();
      },
    });
    this.#inFlight.set(key, entry);
    const run = entry.run(this.#opened).finally(() => this.#running.delete(entry));
    this.#running.set(entry, run);
    if (request.method === 'initialize') this.#opened = entry.answered;
  }

  #refusal(key: string): GatewayError | undefined {
    if (this.#closing || this.#isFinishing) return stopped();
    if (this.isFull)
      return new GatewayError('too_many_requests', `${MAX_IN_FLIGHT} requests of this connection are in flight`);
    if (!this.#inFlight.has(key)) return undefined;
    return new GatewayError('request_invalid', 'a request with this id is in flight already', {
      details: { rpcCode: RPC.invalidRequest },
    });
  }

  /**
   * A modern server is told by closing its stream. A legacy one is told, and then not listened to any more: it answers
   * nothing to a request that was cancelled, and may leave the stream open.
   */
  async #takeCancellation(message: JsonRpcNotification, text: string): Promise<void> {
    const entry = this.#inFlight.get(JSON.stringify(message.params?.['requestId']));
    if (this.#session.isOpen && !entry?.isModern) await this.#tell(message, text);
    entry?.cancel();
  }

  #tell(message: JsonRpcMessage, text: string): Promise<void> {
    const isInitialized = 'method' in message && message.method === 'notifications/initialized';
    const opened = isResponse(message) ? undefined : this.#opened;
    const told = this.#oneWay.then(async () => {
      try {
        await opened;
        const answer = await this.#session.post(message, text, this.#lifetime.signal);
        if (answer.status >= 300) throw refusalOf(answer, await answer.text(MESSAGE_BYTES));
        await skip(answer);
        if (isInitialized) this.#session.listen();
      } catch (thrown) {
        if (!this.#closing) this.#options.onFailure?.(toGatewayError(thrown));
      }
    });
    this.#oneWay = told;
    if (isInitialized) this.#opened = told;
    return this.#counted(told);
  }

  #untilRoom(): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        cancel();
        this.#onRoom.delete(go);
        resolve();
      };
      const cancel = this.#options.clock.after(ROOM_WAIT_MS, go);
      this.#onRoom.add(go);
    });
  }

  #makeRoom(): void {
    const [first] = this.#onRoom;
    if (!this.isFull) first?.();
  }

  async #counted(work: Promise<void>): Promise<void> {
    this.#waitingCount++;
    try {
      await work;
    } finally {
      this.#waitingCount--;
      this.#makeRoom();
    }
  }

  #deliver(text: string): Promise<void> {
    return this.#counted(this.#options.deliver(oneLine(text)));
  }
}

const stopped = (): GatewayError => new GatewayError('shutting_down', 'this connection is about to end');
