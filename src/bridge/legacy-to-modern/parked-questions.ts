import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Mailbox } from '../../session/mailbox.ts';
import { withDeadline } from '../../upstream/deadline.ts';
import { isResponse, parseMessage } from '../../wire/json-rpc.ts';
import type { JsonRpcResponse } from '../../wire/json-rpc.ts';

export interface ParkedQuestionsOptions {
  readonly clock: Clock;
  /** Carries an answer to the instance that waits for it. */
  readonly mailbox: Pick<Mailbox, 'address' | 'post' | 'wait'>;
  /** Questions that may be open at once on this instance; default 10,000. */
  readonly maxCount?: number;
  /** Milliseconds a caller, often a person, has for an answer; default ten minutes. */
  readonly timeoutMs?: number;
}

const MAX_COUNT = 10_000;
const TIMEOUT_MS = 600_000;

/**
 * Questions to callers that are not answered yet. The call that asks waits here, on the instance that holds the
 * caller's stream; the answer may come in on any.
 */
export class ParkedQuestions {
  readonly #clock: Clock;
  readonly #mailbox: ParkedQuestionsOptions['mailbox'];
  readonly #maxCount: number;
  readonly #timeoutMs: number;
  #open = 0;

  constructor({ clock, mailbox, maxCount = MAX_COUNT, timeoutMs = TIMEOUT_MS }: ParkedQuestionsOptions) {
    this.#clock = clock;
    this.#mailbox = mailbox;
    this.#maxCount = maxCount;
    this.#timeoutMs = timeoutMs;
  }

  /** How many are open on this instance. */
  get size(): number {
    return this.#open;
  }

  /** An id for a question; an answer under it counts only in this session. */
  newId(session: string): Promise<string> {
    return this.#mailbox.address(session);
  }

  /**
   * The caller's answer; may be called before the question is sent.
   *
   * @throws GatewayError question_unanswered after the time for it, bridge_busy, store_unavailable, and the
   * reason of `signal`
   */
  async ask(id: string, signal: CancelSignal): Promise<JsonRpcResponse> {
    if (this.#open >= this.#maxCount)
      throw new GatewayError('bridge_busy', `${this.#maxCount} questions to clients are open already`);
    this.#open++;
    try {
      return await withDeadline(this.#clock, this.#timeoutMs, signal, async (ends) =>
        parseAnswer(await this.#mailbox.wait(id, ends)),
      );
    } catch (thrown) {
      if (!(thrown instanceof GatewayError) || thrown.code !== 'upstream_timeout') throw thrown;
      throw new GatewayError('question_unanswered', `the client did not answer within ${this.#timeoutMs / 1000} s`);
    } finally {
      this.#open--;
    }
  }

  /**
   * Takes an answer that came in, to whatever instance waits for it.
   *
   * @throws GatewayError request_invalid for one to nothing that was asked in this session, request_too_large,
   * store_unavailable
   */
  async answer(session: string, answer: JsonRpcResponse): Promise<void> {
    await this.#mailbox.post(String(answer.id), session, JSON.stringify(answer));
  }
}

function parseAnswer(text: string): JsonRpcResponse {
  const message = parseMessage(text);
  // only `answer` posts
  if (!isResponse(message)) throw new GatewayError('internal', 'the mailbox delivered what was not posted');
  return message;
}
