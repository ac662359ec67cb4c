import { asFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { decodeName, encodeName } from './headers.ts';

/** A tool argument that is repeated in a header, so that intermediaries can route by it without reading bodies. */
export interface ParamHeader {
  /** In lower case. */
  readonly header: string;
  /** Where the argument is, from the top of `arguments`. */
  readonly path: readonly string[];
}

const PREFIX = 'mcp-param-';
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/**
 * The arguments a tool's schema marks with `x-mcp-header`; only what is reached by `properties` alone can be marked.
 *
 * @see MCP 2026-07-28, transports, SEP-2243
 */
export function paramHeadersOf(inputSchema: unknown, path: readonly string[] = []): readonly ParamHeader[] {
  const properties = asFields(asFields(inputSchema)?.['properties']) ?? {};
  return Object.entries(properties).flatMap(([name, schema]) => {
    const at = [...path, name];
    const marked = asFields(schema)?.['x-mcp-header'];
    const own =
      typeof marked === 'string' && TOKEN.test(marked) ? [{ header: PREFIX + marked.toLowerCase(), path: at }] : [];
    return [...own, ...paramHeadersOf(schema, at)];
  });
}

/** The `Mcp-Param-*` headers that repeat the arguments of a call. */
export function mirroredArguments(declared: readonly ParamHeader[], args: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const param of declared) {
    const text = paramText(asFields(args) ?? {}, param);
    if (text !== undefined) headers[param.header] = encodeName(text);
  }
  return headers;
}

/** An argument as its header has it, before encoding; undefined where it has none: absent, null, or no primitive. */
function paramText(args: Fields, { path }: ParamHeader): string | undefined {
  let value: unknown = args;
  for (const name of path) value = asFields(value)?.[name];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** The header that does not say what the argument says; undefined when all agree. Numbers are compared as numbers. */
export function mismatchingParam(
  declared: readonly ParamHeader[],
  args: Fields,
  headers: Pick<Headers, 'get'>,
): string | undefined {
  return declared.find((param) => {
    const text = paramText(args, param);
    if (text === undefined) return false;
    const sent = headers.get(param.header);
    const decoded = sent === null ? undefined : decodeName(sent);
    if (decoded === undefined) return true;
    return decoded !== text && !(DECIMAL.test(decoded) && DECIMAL.test(text) && Number(decoded) === Number(text));
  })?.header;
}
