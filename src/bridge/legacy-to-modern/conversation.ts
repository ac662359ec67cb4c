import { Cancellation } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { Fields } from '../../base/fields.ts';
import { pause, within } from '../../base/pause.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import type { JsonRpcErrorBody, JsonRpcRequest, JsonRpcResponse } from '../../wire/json-rpc.ts';
import { SSE_COMMENT, sseMessage } from '../../wire/sse.ts';
import type { LegacyClient } from './legacy-client.ts';
import { inputOf, questionsIn, wantsInput } from './questions.ts';
import { retried } from './modern-form.ts';
import { failedTool, legacyAnswer } from './legacy-answer.ts';
import type { RunningCall } from './running-calls.ts';
import { answerIn } from '../server-answer.ts';
import type { ParkedQuestions } from './parked-questions.ts';

/** One request of a legacy caller on its way through a server that asks back. */
export interface Conversation {
  readonly clock: Clock;
  readonly parked: ParkedQuestions;
  readonly client: LegacyClient;
  readonly request: JsonRpcRequest;
  readonly running: RunningCall;
  /** In which the caller is asked; undefined for one that cannot be. */
  readonly session: string | undefined;
  /** Sends the request, or a further round of it. */
  post(request: JsonRpcRequest): Promise<ChannelResponse>;
  /** A failure in the words of JSON-RPC. */
  describe(failure: GatewayError): JsonRpcErrorBody;
}

/** A server that asks more often than this will never be content. */
const MAX_ROUNDS = 10;
/** Before a server that only wants to be asked again is. */
const PACE_MS = 250;
/** Between two comments while a person thinks. */
const KEEP_ALIVE_MS = 15_000;

/**
 * The events that answer a legacy caller's POST: notifications as they come, what the server wants to know as requests
 * to the caller, and the answer. Ends without one when the caller took its request back.
 *
 * @param first the response to the request, or the answer that was in it
 * @see MCP 2026-07-28, SEP-2322 (multi round-trip requests)
 */
export async function* conversation(
  talk: Conversation,
  first: ChannelResponse | JsonRpcResponse,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { request, running } = talk;
  try {
    let answer = 'jsonrpc' in first ? first : yield* answerIn(first);
    for (let round = 1; wantsInput(answer); round++) {
      if (round > MAX_ROUNDS)
        throw new GatewayError('upstream_protocol', `the upstream still wants input after ${MAX_ROUNDS} rounds`);
      const input = yield* ask(talk, answer.result);
      const again = retried(request, round, input, answer.result['requestState']);
      answer = yield* answerIn(await talk.post(again));
    }
    yield event(legacyAnswer(request, answer));
  } catch (thrown) {
    if (!running.cancelled) yield event(failureAnswer(talk, toGatewayError(thrown)));
  } finally {
    running.end();
  }
}

const event = (message: object): Uint8Array<ArrayBuffer> => sseMessage(JSON.stringify(message));

function failureAnswer(talk: Conversation, failure: GatewayError): object {
  const { id, method } = talk.request;
  return failure.code === 'question_unanswered' && method === 'tools/call'
    ? { jsonrpc: '2.0', id, result: failedTool(failure.message) }
    : { jsonrpc: '2.0', id, error: talk.describe(failure) };
}

/** Asks the caller everything at once and waits for all of it; nothing where the server only wants to be asked again. */
async function* ask(talk: Conversation, result: Fields): AsyncGenerator<Uint8Array<ArrayBuffer>, Fields | undefined> {
  const { clock, session, running, parked } = talk;
  const asked = questionsIn(result, talk.client.capabilities);
  if (asked.length === 0 || session === undefined) {
    await pause(clock, PACE_MS, running.signal);
    return undefined;
  }
  const ids = await Promise.all(asked.map(() => parked.newId(session)));
  const round = new Cancellation();
  const stopFollowing = round.follow(running.signal);
  const open = new Set(ids);
  const answers = asked.map(async (question, index) => {
    const id = ids[index] ?? '';
    const answer = await parked.ask(id, round);
    open.delete(id);
    return [question.key, inputOf(question, answer)] as const;
  });
  const all = Promise.all(answers);
  // it may fail while the reader has not come for the next event yet
  all.catch(() => undefined);
  try {
    for (const [index, { request }] of asked.entries()) yield event({ ...request, id: ids[index] });
    return Object.fromEntries(yield* waitFor(clock, all));
  } catch (thrown) {
    if (!running.signal.aborted) for (const id of open) yield event(withdrawal(id));
    throw thrown;
  } finally {
    stopFollowing();
    round.abort(new GatewayError('call_cancelled', 'the question was withdrawn'));
  }
}

/** @see MCP 2025-11-25, utilities, cancellation */
const withdrawal = (requestId: string): object => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, reason: 'the answer is not needed any more' },
});

/** What `work` resolves with; intermediaries close a stream that is silent for a minute, so it is not. */
async function* waitFor<T>(clock: Clock, work: Promise<T>): AsyncGenerator<Uint8Array<ArrayBuffer>, T> {
  const settling = work.then((value) => ({ value }));
  for (;;) {
    const settled = await within(clock, KEEP_ALIVE_MS, settling);
    if (settled) return settled.value;
    yield SSE_COMMENT;
  }
}
