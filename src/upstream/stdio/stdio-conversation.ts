import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { asFields } from '../../base/fields.ts';
import { newId } from '../../base/ids.ts';
import type { RunningProgram } from '../../platform.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { META } from '../../wire/eras.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import { isRequest, isResponse } from '../../wire/json-rpc.ts';
import type { JsonRpcId, JsonRpcMessage, JsonRpcResponse } from '../../wire/json-rpc.ts';
import { answerOfNobody } from '../answer-of-nobody.ts';
import { abortError } from '../deadline.ts';
import { EventQueue } from '../event-queue.ts';
import { StdioProgram, type StdioProgramOptions } from './stdio-program.ts';
import { StdioReply } from './stdio-reply.ts';
import { headersTimeoutMs, type TransportRequest } from '../transport.ts';

/** A request as it goes to the program. */
export interface Question {
  readonly id: JsonRpcId;
  readonly text: string;
  readonly progressToken: unknown;
  /** Milliseconds its first message may take; default as for any upstream. */
  readonly limitMs?: number;
  /** What its response carries beside the content type. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A message that belongs to it, as its caller is to see it. */
  readonly restore: (message: JsonRpcMessage, line: string) => string;
  /** The HTTP status its answer would have come with. */
  readonly statusOf: (answer: JsonRpcResponse) => number;
  /** Told once it was answered. */
  readonly onAnswer?: (answer: JsonRpcResponse) => void;
}

interface Waiting {
  readonly reply: StdioReply;
  readonly question: Question;
}

export interface StdioConversationOptions extends Omit<StdioProgramOptions, 'onMessage' | 'onEnded'> {
  /**
   * Who is at this end. With `one` caller, whatever comes is for that caller. Between `many` only what names a request
   * can be told whose it is; the rest is heard by whoever listens for changes, or by nobody.
   */
  readonly audience: 'one' | 'many';
  readonly clock: Clock;
  readonly onEnded: (conversation: StdioConversation) => void;
}

/** What belongs to no request, though one may be in flight. */
const UNSOLICITED = /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated)$/;
/** What a program that works answers at once; one that is busy with nothing else and does not is stuck. */
const SIGNS_OF_LIFE = new Set(['initialize', 'ping', 'server/discover']);

/** The one conversation a process can have: who asked what, and who gets what comes back. */
export class StdioConversation {
  readonly id = newId();
  readonly #program: StdioProgram;
  readonly #options: StdioConversationOptions;
  readonly #waiting = new Map<string, Waiting>();
  #listener: EventQueue | undefined;
  #ended: GatewayError | undefined;
  #hasAnswered = false;
  #lastUsedMs = 0;

  constructor(program: RunningProgram, options: StdioConversationOptions) {
    this.#options = options;
    this.#touch();
    this.#program = new StdioProgram(program, {
      ...options,
      onMessage: (message, line) => this.#receive(message, line),
      onEnded: (reason) => this.#end(reason),
    });
  }

  get audience(): 'one' | 'many' {
    return this.#options.audience;
  }

  /** True while nobody waits for anything. */
  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#listener === undefined;
  }

  /** Milliseconds since anything was sent or awaited here. */
  get idleMs(): number {
    return this.isIdle ? this.#options.clock.monotonicMs() - this.#lastUsedMs : 0;
  }

  /** Why the process speaks no more, once it does not. */
  get ended(): GatewayError | undefined {
    return this.#ended;
  }

  /** Whether the process has answered anything. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /**
   * Asks the program something; its response begins with the first message that belongs to it.
   *
   * @throws GatewayError process_exited, upstream_timeout, call_cancelled, upstream_too_large, upstream_unavailable;
   * request_invalid while another request with its id is in flight
   */
  async ask(request: TransportRequest, question: Question): Promise<ChannelResponse> {
    if (this.#ended) throw this.#ended;
    if (request.signal?.aborted) throw abortError(request.signal);
    const key = JSON.stringify(question.id);
    if (this.#waiting.has(key))
      throw new GatewayError('request_invalid', 'a request with this id is in flight already', {
        details: { rpcCode: RPC.invalidRequest },
      });
    const reply = new StdioReply(request, {
      clock: this.#options.clock,
      headers: question.headers ?? {},
      limitMs: question.limitMs ?? headersTimeoutMs(request.mcpMethod),
      onOver: (failure) => {
        this.#waiting.delete(key);
        this.#touch();
        if (failure) this.#givenUp(request, question, failure);
      },
    });
    this.#waiting.set(key, { reply, question });
    try {
      this.tell(question.text);
      return await reply.response;
    } catch (thrown) {
      // what could not be sent is answered by nobody
      reply.fail(toGatewayError(thrown));
      throw thrown instanceof GatewayError && thrown.code === 'upstream_timeout'
        ? this.#program.explained(thrown)
        : thrown;
    }
  }

  /** Sends what nobody answers. @throws GatewayError upstream_unavailable while the program does not read */
  tell(text: string): void {
    this.#touch();
    if (this.#program.post(text)) return;
    throw new GatewayError('upstream_unavailable', 'the program does not read what it is sent', {
      hint: 'it may be stuck, or busy with a call and unable to do two things at once',
    });
  }

  /** The stream of what belongs to no request; undefined when somebody listens already. */
  listen({ signal, onEnd }: TransportRequest): ChannelResponse | undefined {
    if (this.#listener !== undefined) return undefined;
    const onAbort = () => queue.fail(abortError(signal as CancelSignal));
    const queue = new EventQueue(() => {
      signal?.removeEventListener('abort', onAbort);
      this.#listener = undefined;
      this.#touch();
    }, onEnd);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#listener = queue;
    queue.flush();
    return queue.response({});
  }

  /** Ends the process; requests in flight fail with `reason`. Resolves when nothing of it is left. Idempotent. */
  close(reason: GatewayError): Promise<void> {
    this.#end(reason);
    return this.#program.close();
  }

  #end(reason: GatewayError): void {
    if (this.#ended) return;
    this.#ended = reason;
    for (const { reply } of this.#waiting.values()) reply.fail(reason);
    this.#listener?.end();
    this.#options.onEnded(this);
  }

  #receive(message: JsonRpcMessage, line: string): void {
    if (isResponse(message)) {
      this.#hasAnswered = true;
      const waiting = this.#waiting.get(JSON.stringify(message.id));
      if (waiting === undefined) return;
      const { reply, question } = waiting;
      reply.finish(question.restore(message, line), question.statusOf(message));
      question.onAnswer?.(message);
      return;
    }
    const receiver = this.#receiverOf(message);
    if (receiver instanceof EventQueue) receiver.push(line);
    else if (receiver) receiver.reply.push(receiver.question.restore(message, line));
    else if (isRequest(message)) this.#program.post(JSON.stringify(answerOfNobody(message)));
  }

  #receiverOf(message: Exclude<JsonRpcMessage, JsonRpcResponse>): Waiting | EventQueue | undefined {
    const { method, params } = message;
    const all = [...this.#waiting.values()];
    if (method === 'notifications/progress') {
      const token = params?.['progressToken'];
      return token === undefined ? undefined : all.find(({ question }) => question.progressToken === token);
    }
    const subscription = asFields(params?.['_meta'])?.[META.subscriptionId];
    if (subscription !== undefined) return this.#waiting.get(JSON.stringify(subscription));
    const latest = this.#options.audience === 'one' ? all.at(-1) : undefined;
    if (UNSOLICITED.test(method)) return this.#listener ?? latest;
    return this.#options.audience === 'one' ? (latest ?? this.#listener) : undefined;
  }

  #givenUp({ mcpMethod }: TransportRequest, { id }: Question, failure: GatewayError): void {
    if (this.#ended) return;
    if (failure.code === 'upstream_timeout' && SIGNS_OF_LIFE.has(mcpMethod) && this.#waiting.size === 0) {
      void this.close(failure);
      return;
    }
    // a caller of its own cancels for itself: leaving does not mean that (MCP 2025-11-25, transports)
    if (this.#options.audience === 'one' || mcpMethod === 'initialize') return;
    const params = { requestId: id, reason: failure.message };
    this.#program.post(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
  }

  #touch(): void {
    this.#lastUsedMs = this.#options.clock.monotonicMs();
  }
}
