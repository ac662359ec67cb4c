import { asFields } from '../../../base/fields.ts';
import { META } from '../../../wire/eras.ts';
import { encodeName, METHOD, NAME, PROTOCOL_VERSION } from '../../../wire/headers.ts';
import type { JsonRpcMessage } from '../../../wire/json-rpc.ts';

/** Which parameter Mcp-Name repeats; methods that are not here have no such header. @see MCP 2026-07-28, SEP-2243, SEP-2663 */
const NAMED_BY: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/**
 * The headers a message of the modern era travels with, read from its envelope; undefined for a message without one.
 * Values no header can carry are encoded like names, so that the server and not the connection refuses them.
 */
export function modernHeadersOf(message: JsonRpcMessage): Readonly<Record<string, string>> | undefined {
  if (!('method' in message)) return undefined;
  const { method, params } = message;
  const version = asFields(params?.['_meta'])?.[META.protocolVersion];
  if (typeof version !== 'string') return undefined;
  const name = params?.[NAMED_BY.get(method) ?? ''];
  return {
    [PROTOCOL_VERSION]: encodeName(version),
    [METHOD]: encodeName(method),
    ...(typeof name === 'string' && { [NAME]: encodeName(name) }),
  };
}
