/**
 * wire: the shapes and names MCP puts on the wire, in both eras.
 *
 * Owns JSON-RPC messages, the method table, protocol versions, SSE framing and header names. Must not know sessions,
 * upstreams or callers.
 */
import { GatewayError } from '../base/errors.ts';

export type JsonRpcId = string | number;

export interface JsonRpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface JsonRpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface JsonRpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export interface JsonRpcSuccess {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly result: Readonly<Record<string, unknown>>;
}

export interface JsonRpcFailure {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId | null;
  readonly error: JsonRpcErrorBody;
}

export type JsonRpcResponse = JsonRpcSuccess | JsonRpcFailure;
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isId = (value: unknown): value is JsonRpcId => typeof value === 'string' || Number.isInteger(value);

/**
 * One JSON-RPC message from a request or response body.
 *
 * @throws GatewayError request_invalid, with `details.rpcCode` -32700 for text that is no JSON and -32600 for JSON
 * that is no single message (batches included; only 2025-03-26 had them).
 * @see https://www.jsonrpc.org/specification
 */
export function parseMessage(text: string): JsonRpcMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GatewayError('request_invalid', 'the body is not JSON', { details: { rpcCode: -32700 } });
  }
  if (!isObject(value) || value['jsonrpc'] !== '2.0' || !isMessageShape(value))
    throw new GatewayError('request_invalid', 'the body is not one JSON-RPC 2.0 message', {
      details: { rpcCode: -32600 },
    });
  // the checks above establish the shape
  return value as unknown as JsonRpcMessage;
}

function isMessageShape(value: Fields): boolean {
  if ('method' in value) {
    const params = value['params'];
    return (
      typeof value['method'] === 'string' &&
      (params === undefined || isObject(params)) &&
      (!('id' in value) || isId(value['id']))
    );
  }
  if ('result' in value) return isId(value['id']) && isObject(value['result']);
  return isObject(value['error']) && (isId(value['id']) || value['id'] === null || value['id'] === undefined);
}

export const isRequest = (message: JsonRpcMessage): message is JsonRpcRequest => 'method' in message && 'id' in message;
export const isNotification = (message: JsonRpcMessage): message is JsonRpcNotification =>
  'method' in message && !('id' in message);
export const isResponse = (message: JsonRpcMessage): message is JsonRpcResponse => !('method' in message);
