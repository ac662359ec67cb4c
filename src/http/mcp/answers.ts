import { toGatewayError } from '../../base/errors.ts';
import type { JsonRpcFailure, JsonRpcId } from '../../wire/json-rpc.ts';
import { EVENTS_TYPE, JSON_TYPE } from '../../wire/media-types.ts';
import { mcpStatusOf, rpcCodeOf } from '../respond.ts';

/** Of a body nobody is to take for anything else. */
const NO_SNIFF = { 'x-content-type-options': 'nosniff' };
/** Of an answer in JSON; it is for its caller only. */
export const JSON_HEADERS = { 'content-type': JSON_TYPE, 'cache-control': 'no-store', ...NO_SNIFF };

/** A JSON-RPC result as an HTTP answer. */
export function resultAnswer(id: JsonRpcId, result: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify({ jsonrpc: '2.0', id, result }), {
    headers: { ...JSON_HEADERS, ...headers },
  });
}

/** A JSON-RPC answer that is written already; its parts are sent as they are, since copying them costs more than sending. */
export function bytesAnswer(parts: readonly Uint8Array<ArrayBuffer>[]): Response {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
  return new Response(body, { headers: { ...JSON_HEADERS, 'content-length': String(length) } });
}

/** What an error may say about its JSON-RPC form where the code alone does not decide it. */
interface RpcDetails {
  readonly rpcCode?: number;
  readonly rpcData?: object;
  readonly rpcStatus?: number;
  readonly rpcHeaders?: Readonly<Record<string, string>>;
}

/**
 * A failure as a JSON-RPC error: the caller sees the code and a safe sentence, the hint stays with the operator.
 *
 * What failed behind the gateway is answered with status 200, since the exchange with the gateway itself succeeded and
 * clients throw away the body of other statuses.
 */
export function errorAnswer(id: JsonRpcId | null, thrown: unknown): Response {
  const error = toGatewayError(thrown);
  const { rpcStatus: status = mcpStatusOf(error.code), rpcHeaders } = (error.details ?? {}) as RpcDetails;
  const headers = { ...JSON_HEADERS, ...rpcHeaders };
  return new Response(JSON.stringify(failureOf(id, error)), { status, headers });
}

/** A failure as a JSON-RPC message. */
export function failureOf(id: JsonRpcId | null, thrown: unknown): JsonRpcFailure {
  const error = toGatewayError(thrown);
  const { rpcCode, rpcData } = (error.details ?? {}) as RpcDetails;
  return {
    jsonrpc: '2.0',
    id,
    error: { code: rpcCode ?? rpcCodeOf(error.code), message: error.message, data: { ...rpcData, code: error.code } },
  };
}

/** 202 without a body: a notification or an answer was taken. */
export function acceptedAnswer(): Response {
  return new Response(null, { status: 202 });
}

/** To look at the headers or the body of an answer costs more than a call may; what is a stream is marked. */
const STREAM: unique symbol = Symbol('stream of events');

/** Whether an answer is a stream of events. */
export const isEventsAnswer = (answer: Response): boolean => STREAM in answer;

/** The same answer, known as a stream of events from now on. */
export const markedAsEvents = (answer: Response): Response => Object.assign(answer, { [STREAM]: true });

/** A stream of server-sent events; nothing between here and the caller may buffer or rewrite it. */
export function eventsAnswer(
  body: ReadableStream<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const answer = new Response(body, {
    headers: {
      'content-type': EVENTS_TYPE,
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...NO_SNIFF,
      ...headers,
    },
  });
  return markedAsEvents(answer);
}
