import { asFields } from '../../../base/fields.ts';
import type { Fields } from '../../../base/fields.ts';
import { META_PREFIX } from '../../../wire/eras.ts';
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { mirroredArguments, paramHeadersOf } from '../../../wire/param-headers.ts';
import type { ParamHeader } from '../../../wire/param-headers.ts';

/**
 * Which arguments of which tools are repeated in headers, learned from the listings that pass by: a client without
 * headers cannot send them, and a server that asks for them refuses calls without.
 *
 * @see MCP 2026-07-28, transports, SEP-2243
 */
export class PipeTools {
  readonly #marked = new Map<string, readonly ParamHeader[]>();

  /** Takes up a page of a listing; its next cursor, undefined when it was the last. */
  learn(result: Fields): string | undefined {
    const { tools, nextCursor } = result;
    for (const tool of Array.isArray(tools) ? tools : []) {
      const { name, inputSchema } = asFields(tool) ?? {};
      if (typeof name !== 'string') continue;
      const marked = paramHeadersOf(inputSchema);
      if (marked.length > 0) this.#marked.set(name, marked);
      else this.#marked.delete(name);
    }
    return typeof nextCursor === 'string' ? nextCursor : undefined;
  }

  /** The `Mcp-Param-*` headers of a request; none for what is no call of a tool that was listed. */
  headersOf({ method, params }: JsonRpcRequest): Readonly<Record<string, string>> {
    const name = params?.['name'];
    const marked = method === 'tools/call' && typeof name === 'string' ? this.#marked.get(name) : undefined;
    return mirroredArguments(marked ?? [], params?.['arguments']);
  }
}

/** A listing of the tools for whoever sent `call`, asked for by the pipe itself. */
export function listingFor(call: JsonRpcRequest, cursor: string | undefined): JsonRpcRequest {
  const meta = Object.entries(asFields(call.params?.['_meta']) ?? {});
  const _meta = Object.fromEntries(meta.filter(([key]) => key.startsWith(META_PREFIX)));
  const params = { _meta, ...(cursor !== undefined && { cursor }) };
  return { jsonrpc: '2.0', id: 'postern-tools', method: 'tools/list', params };
}
