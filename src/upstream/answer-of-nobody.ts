import type { JsonRpcRequest, JsonRpcResponse } from '../wire/json-rpc.ts';
import { RPC } from '../wire/rpc-codes.ts';

/** What a server is told that asks while nobody can be asked: left without an answer, it would wait for ever. */
export function answerOfNobody({ id, method }: JsonRpcRequest): JsonRpcResponse {
  if (method === 'ping') return { jsonrpc: '2.0', id, result: {} };
  return { jsonrpc: '2.0', id, error: { code: RPC.methodNotFound, message: 'no client is listening for requests' } };
}
