import type { Clock } from '../../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../../base/errors.ts';
import { gatewayErrorOf } from '../../../upstream/deadline.ts';
import { isEventStream } from '../../../wire/media-types.ts';
import { RPC } from '../../../wire/rpc-codes.ts';
import { isResponse, messageIn } from '../../../wire/json-rpc.ts';
import type { JsonRpcMessage, JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { failureOf } from '../answers.ts';
import { Cursor, MESSAGE_BYTES, readEvents, refusalOf } from './pipe-answer.ts';
import type { PipeAnswer } from './pipe-answer.ts';
import { modernHeadersOf } from './modern-headers.ts';
import { untilRetry } from './keep-listening.ts';
import type { PipeSession } from './pipe-session.ts';

/** How long a server may leave a stream open after the answer it was for. */
const LINGER_MS = 1_000;
/** How often in a row a broken stream is asked for its rest before its request has failed. */
const MAX_RESUMPTIONS = 5;

/** What a request on its way needs of its pipe. */
interface PipeEnd {
  readonly session: PipeSession;
  readonly clock: Clock;
  readonly deliver: (text: string) => Promise<void>;
  readonly onFailure: (error: GatewayError) => void;
  /** The id may be used again. */
  readonly onAnswered: () => void;
}

/** One request of a pipe's client, until its answer was delivered. */
export class PipedRequest {
  readonly request: JsonRpcRequest;
  readonly isModern: boolean;
  readonly #text: string;
  readonly #end: PipeEnd;
  readonly #work = new AbortController();
  readonly #answered = Promise.withResolvers<void>();
  #isAnswered = false;
  #isSentAgain = false;

  constructor(request: JsonRpcRequest, text: string, end: PipeEnd) {
    this.request = request;
    this.isModern = modernHeadersOf(request) !== undefined;
    this.#text = text;
    this.#end = end;
  }

  /** Resolves once there is an answer, whatever it is. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }

  /** Sends it once `opened` resolves, and hands on every message of the answer. Never rejects. */
  async run(opened: Promise<void>): Promise<void> {
    const { signal } = this.#work;
    try {
      await opened;
      signal.throwIfAborted();
      await this.#follow(await this.#end.session.post(this.request, this.#text, signal));
    } catch (thrown) {
      if (this.#isAnswered) return;
      const error = gatewayErrorOf(thrown, signal);
      if (!signal.aborted) this.#end.onFailure(error);
      this.#settle();
      await this.#end.deliver(JSON.stringify(failureOf(this.request.id, error)));
    }
  }

  /** Ends it; `reason` is the answer. */
  abort(reason: GatewayError): void {
    this.#work.abort(reason);
  }

  /** Ends it without an answer. */
  cancel(): void {
    this.#settle();
    this.#work.abort();
  }

  /** Reads the stream of the answer, and asks for its rest where it breaks. */
  async #follow(first: PipeAnswer): Promise<void> {
    const { clock, session, deliver } = this.#end;
    const { signal } = this.#work;
    const cursor = new Cursor();
    let stopLingering = (): void => undefined;
    const take = async (message: JsonRpcMessage, text: string): Promise<void> => {
      if (this.#isAnswered) return;
      if (!isResponse(message) || message.id !== this.request.id) return deliver(text);
      await this.#answer(first, message, text);
      stopLingering = clock.after(LINGER_MS, () => this.#work.abort());
    };
    for (let answer = first; ;) {
      if (!isEventStream(answer)) return this.#single(answer);
      const failure = await readEvents(answer, cursor, signal, take).catch(toGatewayError);
      stopLingering();
      if (this.#isAnswered) return;
      signal.throwIfAborted();
      if (!this.#mayResume(cursor) || failure?.code === 'upstream_too_large')
        throw failure ?? new GatewayError('connection_lost', 'the stream ended before the answer came');
      await untilRetry(clock, cursor, signal);
      answer = await session.resume(cursor.lastEventId ?? '', signal);
    }
  }

  /** An answer that is one message. */
  async #single(answer: PipeAnswer): Promise<void> {
    const { id } = this.request;
    const text = await answer.text(MESSAGE_BYTES);
    const message = messageIn(text);
    if (message === undefined || !isResponse(message)) throw refusalOf(answer, text);
    if (this.#lacksHeaders(message)) return this.#sendAgain();
    if (answer.status === 401) this.#end.onFailure(refusalOf(answer, text));
    // a server that refused the request unread could not tell its id
    await this.#answer(answer, message, message.id === id ? text : JSON.stringify({ ...message, id }));
  }

  async #answer(answer: PipeAnswer, message: JsonRpcMessage, text: string): Promise<void> {
    await this.#end.session.heed(this.request, answer.headers, message);
    if (this.#isAnswered) return;
    this.#settle();
    await this.#end.deliver(text);
  }

  /** Whether the server wants arguments repeated in headers, which only the listing of its tools tells. */
  #lacksHeaders(message: JsonRpcMessage): boolean {
    const isRefused = 'error' in message && message.error.code === RPC.headerMismatch;
    return isRefused && this.isModern && this.request.method === 'tools/call' && !this.#isSentAgain;
  }

  async #sendAgain(): Promise<void> {
    const { session } = this.#end;
    const { signal } = this.#work;
    this.#isSentAgain = true;
    await session.learnTools(this.request, signal);
    await this.#follow(await session.post(this.request, this.#text, signal));
  }

  #mayResume({ lastEventId, failures }: Cursor): boolean {
    return lastEventId !== undefined && failures < MAX_RESUMPTIONS && !this.isModern;
  }

  #settle(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#answered.resolve();
    this.#end.onAnswered();
  }
}
