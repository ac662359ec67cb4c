import { asFields, isFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import { META } from '../../wire/eras.ts';
import type { JsonRpcErrorBody, JsonRpcRequest, JsonRpcResponse } from '../../wire/json-rpc.ts';
import { isListing } from '../../wire/mcp.ts';
import { RPC } from '../../wire/rpc-codes.ts';

/** An upstream's modern answer to a legacy caller's request, under the caller's id. */
export function legacyAnswer({ id, method, params }: JsonRpcRequest, answer: JsonRpcResponse): JsonRpcResponse {
  if ('error' in answer) return { jsonrpc: '2.0', id, error: legacyError(method, params, answer.error) };
  const { resultType = 'complete' } = answer.result;
  if (resultType === 'complete') return { jsonrpc: '2.0', id, result: legacyResult(method, answer.result) };
  const message = `the server answered with a result of a type that ${method} did not ask for`;
  return { jsonrpc: '2.0', id, error: { code: RPC.internalError, message } };
}

/** Codes that changed; in the modern era a resource that is not there is a wrong parameter. */
function legacyError(method: string, params: Fields | undefined, error: JsonRpcErrorBody): JsonRpcErrorBody {
  const isAbsentResource =
    method === 'resources/read' && error.code === RPC.invalidParams && typeof params?.['uri'] === 'string';
  return isAbsentResource ? { ...error, code: RPC.resourceNotFound } : error;
}

/** A result without what the legacy era does not know, and with what it insists on. */
function legacyResult(method: string, modern: Fields): Fields {
  const { resultType: _, ...result } = modern;
  const named = withoutServerInfo(result);
  if (method === 'tools/call') return withObjectContent(named);
  if (!isListing(method) && method !== 'resources/read') return named;
  const { ttlMs: _ttlMs, cacheScope: _cacheScope, ...bare } = named;
  return method === 'tools/list' && Array.isArray(bare['tools'])
    ? { ...bare, tools: legacyTools(bare['tools']) }
    : bare;
}

/** Tools as legacy clients take them; the same list where there is nothing to change. */
export function legacyTools<Tool>(tools: readonly Tool[]): readonly Tool[] {
  const taken = tools.map(withObjectSchema);
  return taken.every((tool, index) => tool === tools[index]) ? tools : taken;
}

function withoutServerInfo(result: Fields): Fields {
  const meta = asFields(result['_meta']);
  if (meta === undefined || !(META.serverInfo in meta)) return result;
  const { [META.serverInfo]: _, ...others } = meta;
  const { _meta: __, ...bare } = result;
  return Object.keys(others).length === 0 ? bare : { ...bare, _meta: others };
}

/** Clients of the legacy era refuse a whole listing for one output schema that is not an object's. */
function withObjectSchema<Tool>(tool: Tool): Tool {
  const schema = isFields(tool) ? tool['outputSchema'] : undefined;
  if (!isFields(tool) || schema === undefined || asFields(schema)?.['type'] === 'object') return tool;
  const { outputSchema: _, ...bare } = tool;
  return bare as Tool;
}

/** Structured content may be any value in the modern era, only an object in the legacy one. */
function withObjectContent(result: Fields): Fields {
  const { structuredContent } = result;
  if (structuredContent === undefined || isFields(structuredContent)) return result;
  return { ...result, structuredContent: { result: structuredContent } };
}

/** What a tool says when it could not go on; a server of the legacy era would answer so itself. */
export function failedTool(message: string): Fields {
  return { content: [{ type: 'text', text: message }], isError: true };
}
