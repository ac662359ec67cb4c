import { asFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import type { LegacyFacts } from '../../upstream/facts.ts';
import { META, META_PREFIX, MODERN_VERSIONS } from '../../wire/eras.ts';
import type { JsonRpcErrorBody, JsonRpcId, JsonRpcRequest, JsonRpcResponse } from '../../wire/json-rpc.ts';
import { isLogLevel, LOG_LEVELS } from '../../wire/log-levels.ts';
import { RPC } from '../../wire/rpc-codes.ts';

/**
 * A modern request as a legacy server reads it: without envelope and answers to questions, under an id and a progress
 * token of our own.
 */
export function legacyRequestOf({ method, params }: JsonRpcRequest, ownId: number): JsonRpcRequest {
  const { _meta, inputResponses: _responses, requestState: _state, ...rest } = params ?? {};
  const kept = Object.entries(asFields(_meta) ?? {})
    .filter(([name]) => !name.startsWith(META_PREFIX))
    .map(([name, value]) => [name, name === 'progressToken' ? ownId : value] as const);
  return {
    jsonrpc: '2.0',
    id: ownId,
    method,
    params: { ...rest, ...(kept.length > 0 && { _meta: Object.fromEntries(kept) }) },
  };
}

/** Methods whose results say how long they may be kept. @see MCP 2026-07-28, SEP-2549 */
const CACHEABLE = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);

/** A legacy result with what every modern one says; nothing here says how long it holds, so it holds for nobody. */
export function modernResultOf(method: string, result: Fields, serverInfo: Fields | undefined): Fields {
  return {
    resultType: 'complete',
    ...(CACHEABLE.has(method) && { ttlMs: 0, cacheScope: 'private' }),
    ...result,
    _meta: { ...(serverInfo && { [META.serverInfo]: serverInfo }), ...asFields(result['_meta']) },
  };
}

/** A legacy error: a resource that is not there has another number now. */
export function modernErrorOf(error: JsonRpcErrorBody): JsonRpcErrorBody {
  return error.code === RPC.resourceNotFound ? { ...error, code: RPC.invalidParams } : error;
}

/** A legacy answer as the answer to the caller's request. */
export function modernAnswerOf(
  { id, method }: { readonly id: JsonRpcId; readonly method: string },
  answer: JsonRpcResponse,
  serverInfo: Fields | undefined,
): JsonRpcResponse {
  return 'error' in answer
    ? { jsonrpc: '2.0', id, error: modernErrorOf(answer.error) }
    : { jsonrpc: '2.0', id, result: modernResultOf(method, answer.result, serverInfo) };
}

/** The result of server/discover, of what the server said when it was initialized. */
export function discoverResultOf({ capabilities, instructions, serverInfo }: LegacyFacts): Fields {
  // tasks are an extension now, with other methods
  const { tasks: _, ...carried } = capabilities;
  const found = {
    supportedVersions: MODERN_VERSIONS,
    capabilities: carried,
    ...(instructions !== undefined && { instructions }),
  };
  return modernResultOf('server/discover', found, serverInfo);
}

/**
 * What a caller hears of a notification on its request's stream; undefined for what is not for it. Log lines are for
 * callers that asked for them, progress for those that gave a token.
 */
export function modernNotificationOf(
  notification: { readonly method: string; readonly params?: Fields },
  { ownId, progressToken, logLevel }: { ownId: number; progressToken: unknown; logLevel: string | undefined },
): Fields | undefined {
  const { method, params } = notification;
  if (method === 'notifications/progress')
    return progressToken !== undefined && params?.['progressToken'] === ownId
      ? { jsonrpc: '2.0', method, params: { ...params, progressToken } }
      : undefined;
  if (method !== 'notifications/message' || logLevel === undefined) return undefined;
  const level = params?.['level'];
  if (isLogLevel(level) && LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(logLevel)) return undefined;
  return { jsonrpc: '2.0', method, params: params ?? {} };
}
