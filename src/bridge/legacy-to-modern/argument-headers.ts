import type { Fields } from '../../base/fields.ts';
import type { Listing } from '../../upstream/facts.ts';
import { mirroredArguments, paramHeadersOf } from '../../wire/param-headers.ts';
import type { ParamHeader } from '../../wire/param-headers.ts';

/**
 * The headers that repeat arguments of a tools/call: who originates a modern call has to send them, and knows of them
 * from the tool's schema. What each tool of a listing marks is looked for once.
 *
 * @see MCP 2026-07-28, transports, SEP-2243
 */
export class ArgumentHeaders {
  readonly #byTools = new WeakMap<Listing['tools'], ReadonlyMap<string, readonly ParamHeader[]>>();

  /** The `Mcp-Param-*` headers of a call; none for a tool that is not listed. */
  of(tools: Listing['tools'], params: Fields | undefined): Record<string, string> {
    const name = params?.['name'];
    const marked = typeof name === 'string' ? this.#markedIn(tools).get(name) : undefined;
    return mirroredArguments(marked ?? [], params?.['arguments']);
  }

  #markedIn(tools: Listing['tools']): ReadonlyMap<string, readonly ParamHeader[]> {
    const known = this.#byTools.get(tools);
    if (known) return known;
    const marked = new Map<string, readonly ParamHeader[]>();
    for (const { name, inputSchema } of tools) {
      const params = paramHeadersOf(inputSchema);
      if (typeof name === 'string' && params.length > 0) marked.set(name, params);
    }
    this.#byTools.set(tools, marked);
    return marked;
  }
}
