import type { Fields } from '../../base/fields.ts';
import { asFields } from '../../base/fields.ts';
import { META } from '../../wire/eras.ts';
import type { JsonRpcId, JsonRpcMessage, JsonRpcRequest } from '../../wire/json-rpc.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import type { Question } from './stdio-conversation.ts';

const progressTokenOf = ({ params }: JsonRpcRequest): unknown => asFields(params?.['_meta'])?.['progressToken'];

/** A request in a session of its own, where the caller's ids are good: it goes and comes back as it is. */
export function ownQuestion(request: JsonRpcRequest, text: string): Question {
  return {
    id: request.id,
    text,
    progressToken: progressTokenOf(request),
    restore: (_message, line) => line,
    statusOf: () => 200,
  };
}

/** Errors of the modern era that a server answers with a status of their own. @see MCP 2026-07-28, transports */
const STATUS_OF_ERROR: ReadonlyMap<number, number> = new Map([
  [RPC.methodNotFound, 404],
  [RPC.headerMismatch, 400],
  [RPC.missingCapability, 400],
  [RPC.unsupportedVersion, 400],
]);

/**
 * A request among those of other callers: under an id of ours, since callers choose theirs without knowing of each
 * other; likewise its progress token. What comes back carries the caller's again.
 */
export function sharedQuestion(request: JsonRpcRequest, ownId: number): Question {
  const token = progressTokenOf(request);
  const meta = asFields(request.params?.['_meta']);
  const params = token === undefined ? request.params : { ...request.params, _meta: { ...meta, progressToken: ownId } };
  return {
    id: ownId,
    text: JSON.stringify({ ...request, id: ownId, ...(params && { params }) }),
    progressToken: token === undefined ? undefined : ownId,
    restore: (message) => JSON.stringify(restored(message, request.id, token)),
    statusOf: (answer) => ('error' in answer ? (STATUS_OF_ERROR.get(answer.error.code) ?? 200) : 200),
  };
}

function restored(message: JsonRpcMessage, id: JsonRpcId, token: unknown): JsonRpcMessage {
  if ('result' in message) return { ...message, id, result: withSubscription(message.result, id) };
  if ('error' in message) return { ...message, id };
  const params = message.params && withSubscription(message.params, id);
  if (params === undefined) return message;
  const isProgress = message.method === 'notifications/progress';
  return { ...message, params: isProgress ? { ...params, progressToken: token } : params };
}

/** A subscription is named by the id of its request. @see MCP 2026-07-28, subscriptions */
function withSubscription(holder: Fields, id: JsonRpcId): Fields {
  const meta = asFields(holder['_meta']);
  if (meta?.[META.subscriptionId] === undefined) return holder;
  return { ...holder, _meta: { ...meta, [META.subscriptionId]: id } };
}
