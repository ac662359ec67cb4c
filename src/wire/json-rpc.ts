/**
 * wire: the shapes and names MCP puts on the wire, in both eras.
 *
 * Owns JSON-RPC messages, the method table, protocol versions, SSE framing and header names. Must not know sessions,
 * upstreams or callers.
 */
import { GatewayError } from '../base/errors.ts';
import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { isNestedTooDeep, MAX_DEPTH } from './nesting.ts';
import { RPC } from './rpc-codes.ts';

/** Never null in a request. */
export type JsonRpcId = string | number;

/** A message that is to be answered. */
export interface JsonRpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly method: string;
  readonly params?: Fields;
}

/** A message nobody answers. */
export interface JsonRpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: Fields;
}

/** The `error` member of an answer. */
export interface JsonRpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** An answer with a result. */
export interface JsonRpcSuccess {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly result: Fields;
}

/** An answer with an error; `id` is null where the request could not be read. */
export interface JsonRpcFailure {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId | null;
  readonly error: JsonRpcErrorBody;
}

/** An answer. */
export type JsonRpcResponse = JsonRpcSuccess | JsonRpcFailure;
/** Anything one JSON-RPC body or event may hold. */
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse;

const isId = (value: unknown): value is JsonRpcId => typeof value === 'string' || Number.isInteger(value);

/**
 * One JSON-RPC message from a request or response body.
 *
 * @throws GatewayError request_invalid, with `details.rpcCode` -32700 for text that is no JSON and -32600 for JSON
 * that is no single message (batches included; only 2025-03-26 had them) or is nested too deep.
 * @see https://www.jsonrpc.org/specification
 */
export function parseMessage(text: string): JsonRpcMessage {
  if (isNestedTooDeep(text))
    throw new GatewayError('request_invalid', `the body is nested deeper than ${MAX_DEPTH} levels`, {
      details: { rpcCode: RPC.invalidRequest },
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GatewayError('request_invalid', 'the body is not JSON', { details: { rpcCode: RPC.parseError } });
  }
  if (!isFields(value) || value['jsonrpc'] !== '2.0' || !isMessageShape(value))
    throw new GatewayError('request_invalid', 'the body is not one JSON-RPC 2.0 message', {
      details: { rpcCode: RPC.invalidRequest },
    });
  // the checks above establish the shape
  return value as unknown as JsonRpcMessage;
}

/** The message a text holds; undefined where it holds none. */
export function messageIn(text: string): JsonRpcMessage | undefined {
  try {
    return parseMessage(text);
  } catch {
    return undefined;
  }
}

function isMessageShape(value: Fields): boolean {
  if ('method' in value) {
    const params = value['params'];
    return (
      typeof value['method'] === 'string' &&
      (params === undefined || isFields(params)) &&
      (!('id' in value) || isId(value['id']))
    );
  }
  if ('result' in value) return isId(value['id']) && isFields(value['result']);
  const { error, id } = value;
  return isFields(error) && Number.isInteger(error['code']) && (isId(id) || id === null || id === undefined);
}

/** Whether a message is to be answered. */
export const isRequest = (message: JsonRpcMessage): message is JsonRpcRequest => 'method' in message && 'id' in message;
/** Whether a message is one nobody answers. */
export const isNotification = (message: JsonRpcMessage): message is JsonRpcNotification =>
  'method' in message && !('id' in message);
/** Whether a message is an answer. */
export const isResponse = (message: JsonRpcMessage): message is JsonRpcResponse => !('method' in message);
