import { asFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import { GatewayError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { JsonRpcRequest, JsonRpcResponse } from '../../wire/json-rpc.ts';
import { mayBeAsked } from '../asking-capabilities.ts';

/** One of the inputs a result asks for. */
export interface Question {
  /** Under which the answer goes back. */
  readonly key: string;
  /** As the caller gets it, but for its id. */
  readonly request: JsonRpcRequest;
}

/** More at once than this is a fault, not a form. */
const MAX_QUESTIONS = 64;

/** Whether an answer is not the end: the server wants input first. @see MCP 2026-07-28, SEP-2322 */
export function wantsInput(answer: JsonRpcResponse): answer is JsonRpcResponse & { readonly result: Fields } {
  return 'result' in answer && answer.result['resultType'] === 'input_required';
}

/**
 * What a result asks for.
 *
 * @param capabilities what the caller said it can be asked
 * @throws GatewayError upstream_protocol for what this caller may not be asked, or for a result that says nothing
 */
export function questionsIn({ inputRequests, requestState }: Fields, capabilities: Fields): readonly Question[] {
  const entries = Object.entries(asFields(inputRequests) ?? {});
  if (entries.length === 0 && typeof requestState !== 'string')
    throw new GatewayError('upstream_protocol', 'the upstream wants input and does not say which');
  if (entries.length > MAX_QUESTIONS)
    throw new GatewayError('upstream_protocol', `the upstream asks more than ${MAX_QUESTIONS} things at once`);
  return entries.map(([key, asked]) => ({ key, request: requestOf(asFields(asked), capabilities) }));
}

function requestOf(asked: Fields | undefined, capabilities: Fields): JsonRpcRequest {
  const method = asked?.['method'];
  const params = asFields(asked?.['params']);
  const request = { jsonrpc: '2.0', id: '', method: typeof method === 'string' ? method : '' } as const;
  const asking = params
    ? { ...request, params: params['mode'] === 'url' ? withElicitationId(params) : params }
    : request;
  if (mayBeAsked(capabilities, asking)) return asking;
  throw new GatewayError('upstream_protocol', 'the upstream asks the client for something it did not offer');
}

/** The legacy era names each page a user is sent to, the modern one does not. */
const withElicitationId = (params: Fields): Fields => ({ elicitationId: newId(), ...params });

/**
 * The caller's answer to one question, for the server.
 *
 * @throws GatewayError question_unanswered for an error: the modern era has no place for one
 */
export function inputOf({ request: { method } }: Question, answer: JsonRpcResponse): Fields {
  if ('result' in answer) return answer.result;
  const { code, message } = answer.error;
  throw new GatewayError(
    'question_unanswered',
    `the client answered ${method} with error ${code}: ${message.slice(0, 200)}`,
  );
}
