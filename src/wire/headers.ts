import { VIA } from './via.ts';
import { fromBase64, fromUtf8, toBase64, utf8 } from '../base/bytes.ts';

/** Header names of MCP, in lower case. @see MCP 2026-07-28, transports */
export const SESSION_ID = 'mcp-session-id';
export const PROTOCOL_VERSION = 'mcp-protocol-version';
export const METHOD = 'mcp-method';
export const NAME = 'mcp-name';
export const LAST_EVENT_ID = 'last-event-id';

/** What a client may send on to an upstream; everything else, Authorization first of all, stays here. */
const FORWARDED = new Set([
  'accept',
  'content-type',
  PROTOCOL_VERSION,
  METHOD,
  NAME,
  LAST_EVENT_ID,
  'traceparent',
  'tracestate',
  'baggage',
  VIA,
]);
const PARAM_PREFIX = 'mcp-param-';

/** Whether a request header of a client goes upstream. @see MCP 2026-07-28, transports (Mcp-Param-* is open-ended) */
export function isForwarded(name: string): boolean {
  return FORWARDED.has(name) || name.startsWith(PARAM_PREFIX);
}

const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const ENCODED = /^=\?base64\?(.*)\?=$/;
/** Padded, of the standard alphabet: what servers have to refuse otherwise. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A name as Mcp-Name carries it: plain where visible ASCII, else `=?base64?…?=`. @see MCP 2026-07-28, SEP-2243 */
export function encodeName(name: string): string {
  return PLAIN.test(name) && !ENCODED.test(name) ? name : `=?base64?${toBase64(utf8(name))}?=`;
}

/** The inverse of `encodeName`; undefined when the base64 form is malformed. */
export function decodeName(value: string): string | undefined {
  const encoded = ENCODED.exec(value)?.[1];
  if (encoded === undefined) return value;
  return BASE64.test(encoded) ? fromUtf8(fromBase64(encoded)) : undefined;
}
