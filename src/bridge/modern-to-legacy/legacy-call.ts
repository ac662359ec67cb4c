import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { asFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import { within } from '../../base/pause.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { discard } from '../../upstream/own-request.ts';
import { LAST_EVENT_ID } from '../../wire/headers.ts';
import { isRequest, isResponse, messageIn } from '../../wire/json-rpc.ts';
import type { JsonRpcMessage, JsonRpcRequest, JsonRpcResponse } from '../../wire/json-rpc.ts';
import { listingsChangedBy } from '../../wire/mcp.ts';
import { isEventStream } from '../../wire/media-types.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import { wholeAnswer } from '../server-answer.ts';
import type { Caller } from './leg.ts';
import { mayBeAsked } from '../asking-capabilities.ts';
import { OpenQuestions } from './open-questions.ts';
import type { Loan, UpstreamSessions } from './upstream-sessions.ts';
import { legacyRequestOf, modernNotificationOf } from './translation.ts';
import type { Tell, Turn, WaitingCall } from './waiting-call.ts';
import { resumedEvents } from './resumed-events.ts';

/** What a call is made of. */
export interface CallOptions {
  readonly sessions: UpstreamSessions;
  readonly clock: Clock;
  readonly caller: Caller;
  readonly request: JsonRpcRequest;
  /** The severity from which the caller wants log lines; undefined for none. */
  readonly logLevel: string | undefined;
  /** Told the notifications by which the server says that a listing of its changed. */
  readonly onListChanged: (method: string) => void;
}

/**
 * How long a server that asked something must be silent before its questions go to the caller: one that asks several
 * things at once sends them one by one, nothing marks the last of them, and the caller is to answer them together.
 */
const QUIET_MS = 50;
/** More at once than this is a fault, not a form. */
const MAX_QUESTIONS = 64;
/** How long a server may keep the stream of a call open that it has answered. */
const LINGER_MS = 2_000;
/** Requests whose result may be a question. @see MCP 2026-07-28, SEP-2322 */
const ASKING_METHODS = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** One request of a modern caller, under way in a legacy session. */
export class LegacyCall implements WaitingCall {
  readonly #options: CallOptions;
  readonly #stop = new AbortController();
  readonly #questions = new OpenQuestions();
  #loan: Loan | undefined;
  #ownId = 0;
  #answer: JsonRpcResponse | undefined;
  #failure: GatewayError | undefined;
  #tell: Tell = unheard;
  #changed = Promise.withResolvers<void>();

  constructor(options: CallOptions) {
    this.#options = options;
  }

  /** Whether nothing more will come. */
  get hasEnded(): boolean {
    return this.#answer !== undefined || this.#failure !== undefined;
  }

  /**
   * Sends the request; a session the server lost is opened once more. Resolves when the server has begun to answer.
   *
   * @throws GatewayError bridge_busy, upstream_session_lost, upstream_protocol, upstream_http_status and dial codes
   */
  async start(tell: Tell): Promise<void> {
    this.#tell = tell;
    try {
      const { caller, sessions, logLevel } = this.#options;
      this.#loan = await sessions.lend(caller, logLevel !== undefined && sessions.haveLevels, this.#stop.signal);
      let response = await this.#send(this.#loan);
      if (response.status === 404 && this.#loan.leg.hasSession) {
        // 404 means that the server lost the session and did not look at the message (MCP 2025-11-25, transports)
        await discard(response);
        this.#loan = await this.#loan.renew(this.#stop.signal);
        response = await this.#send(this.#loan);
        if (response.status === 404) throw sessionLost();
      }
      if (isEventStream(response)) void this.#follow(this.#loan, response);
      else this.#take(await wholeAnswer(response), this.#loan);
    } catch (error) {
      this.#fail(toGatewayError(error));
      throw this.#failure;
    }
  }

  async next(tell: Tell): Promise<Turn> {
    this.#tell = tell;
    try {
      for (;;) {
        if (this.#failure) throw this.#failure;
        if (this.#answer) return { kind: 'answered', answer: this.#answer };
        const changed = this.#changed.promise;
        if (this.#questions.count === 0) await changed;
        else if (await this.#isQuiet(changed)) return { kind: 'asks', inputRequests: this.#questions.inputRequests };
      }
    } finally {
      this.#tell = unheard;
    }
  }

  async answer(inputResponses: Fields): Promise<void> {
    const answers = this.#questions.answeredBy(inputResponses);
    if (this.hasEnded) return;
    try {
      await Promise.all(answers.map((answer) => this.#reply(answer)));
    } catch (error) {
      this.#fail(toGatewayError(error));
      throw error;
    }
  }

  async cancel(reason: GatewayError): Promise<void> {
    if (this.hasEnded) return;
    const loan = this.#loan;
    const sent = this.#ownId;
    this.#fail(reason, false);
    if (loan && sent > 0) {
      const params = { requestId: sent, reason: reason.message };
      const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params } as const;
      await loan.leg.tell(this.#options.caller, cancelled, cancelled.method);
    }
    this.#stop.abort(reason);
    loan?.giveBack(false);
  }

  async #send({ leg }: Loan): Promise<ChannelResponse> {
    const { caller, request, sessions, logLevel } = this.#options;
    const { signal } = this.#stop;
    if (logLevel !== undefined && leg.hasSession && sessions.haveLevels) await leg.setLevel(caller, logLevel, signal);
    this.#ownId = leg.nextId();
    return leg.post(caller, legacyRequestOf(request, this.#ownId), request.method, signal);
  }

  /** Takes what the server sends until its answer has come. */
  async #follow(loan: Loan, response: ChannelResponse): Promise<void> {
    const { clock, caller } = this.#options;
    const { signal } = this.#stop;
    let stopLingering = (): void => undefined;
    try {
      const events = resumedEvents(response, {
        clock,
        signal,
        isDone: () => this.hasEnded || !loan.leg.hasSession,
        reopen: (lastEventId = '') => loan.leg.open(caller, { [LAST_EVENT_ID]: lastEventId }, signal),
      });
      for await (const { data } of events) {
        const message = data ? messageIn(data) : undefined;
        if (this.hasEnded || message === undefined) continue;
        this.#take(message, loan);
        if (this.hasEnded) stopLingering = clock.after(LINGER_MS, () => this.#stop.abort(answered()));
      }
      if (!this.hasEnded)
        throw new GatewayError('upstream_protocol', 'the upstream ended its event stream without an answer');
    } catch (error) {
      if (!this.hasEnded) this.#fail(toGatewayError(error));
    } finally {
      stopLingering();
    }
  }

  #take(message: JsonRpcMessage, loan: Loan): void {
    const { request, logLevel, onListChanged } = this.#options;
    if (isResponse(message)) {
      if (message.id !== this.#ownId && !isRefusalOfAll(message)) return;
      this.#answer = message;
      loan.giveBack(true);
      return this.#wake();
    }
    if (isRequest(message)) return this.#ask(message);
    if (listingsChangedBy(message.method).length > 0) return onListChanged(message.method);
    if (message.method === 'notifications/cancelled') {
      this.#questions.withdraw(message.params?.['requestId']);
      return this.#wake();
    }
    const progressToken = asFields(request.params?.['_meta'])?.['progressToken'];
    const told = modernNotificationOf(message, { ownId: this.#ownId, progressToken, logLevel });
    if (told) this.#tell(told);
  }

  #ask(question: JsonRpcRequest): void {
    const { id, method } = question;
    if (method === 'ping') return void this.#reply({ jsonrpc: '2.0', id, result: {} }).catch(unheard);
    const { caller, request } = this.#options;
    if (!ASKING_METHODS.has(request.method) || !mayBeAsked(caller.capabilities, question)) {
      const error = { code: RPC.methodNotFound, message: `the client does not support ${method.slice(0, 64)}` };
      return void this.#reply({ jsonrpc: '2.0', id, error }).catch(unheard);
    }
    if (this.#questions.count >= MAX_QUESTIONS)
      return this.#fail(
        new GatewayError('upstream_protocol', `the upstream asks more than ${MAX_QUESTIONS} things at once`),
      );
    this.#questions.add(question);
    this.#wake();
  }

  async #reply(answer: JsonRpcResponse): Promise<void> {
    const leg = this.#loan?.leg;
    const response = await leg?.post(this.#options.caller, answer, 'response', this.#stop.signal);
    if (response === undefined) return;
    await discard(response);
    if (response.status === 404) throw sessionLost();
    if (response.status >= 400)
      throw new GatewayError('upstream_protocol', `the upstream refused an answer with status ${response.status}`);
  }

  async #isQuiet(changed: Promise<void>): Promise<boolean> {
    const noise = changed.then(() => true);
    return (await within(this.#options.clock, QUIET_MS, noise)) === undefined;
  }

  #fail(error: GatewayError, ends = true): void {
    this.#failure ??= error;
    this.#wake();
    if (!ends) return;
    this.#stop.abort(error);
    this.#loan?.giveBack(false);
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

const answered = (): GatewayError =>
  new GatewayError('call_cancelled', 'the call was answered before its stream ended');

const unheard = (): void => undefined;

const sessionLost = (): GatewayError =>
  new GatewayError('upstream_session_lost', 'the upstream forgot the session this call runs in');

/** An error without an id: the server could not read the request, or refuses it whatever it is. */
const isRefusalOfAll = (message: JsonRpcResponse): boolean => 'error' in message && (message.id ?? null) === null;
