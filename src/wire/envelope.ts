import { asFields } from '../base/fields.ts';
import { META, MODERN_VERSIONS } from './eras.ts';
import { decodeName, METHOD, NAME, PROTOCOL_VERSION } from './headers.ts';
import type { JsonRpcRequest } from './json-rpc.ts';
import { targetOf } from './mcp.ts';

/** What is wrong with a request of the modern era, as its JSON-RPC error; it travels with status 400. */
export interface EnvelopeProblem {
  readonly code: -32602 | -32020 | -32022;
  readonly message: string;
  readonly data?: object;
}

/** The methods whose name travels in Mcp-Name as well. */
const NAMED = new Set(['tools/call', 'prompts/get', 'resources/read']);

/**
 * What whoever reads the body of a modern request must find in it: an envelope that says the same as the headers.
 *
 * @see MCP 2026-07-28, transports, SEP-2243
 */
export function envelopeProblem(
  headers: Readonly<Record<string, string>>,
  request: JsonRpcRequest,
): EnvelopeProblem | undefined {
  const meta = asFields(request.params?.['_meta']);
  const version = headers[PROTOCOL_VERSION] ?? '';
  const inBody = meta?.[META.protocolVersion];
  if (inBody === undefined || meta?.[META.clientCapabilities] === undefined)
    return {
      code: -32602,
      message: `params._meta lacks ${META.protocolVersion} or ${META.clientCapabilities}`,
    };
  if (inBody !== version) return mismatch(PROTOCOL_VERSION);
  if (!MODERN_VERSIONS.includes(version))
    return {
      code: -32022,
      message: 'the protocol version is not supported here',
      data: { supported: MODERN_VERSIONS, requested: version },
    };
  if (headers[METHOD] !== request.method) return mismatch(METHOD);
  const named = NAMED.has(request.method) ? targetOf(request) : undefined;
  if (named && named.by !== 'none' && decodeName(headers[NAME] ?? '') !== named.value) return mismatch(NAME);
  return undefined;
}

const mismatch = (header: string): EnvelopeProblem => ({
  code: -32020,
  message: `the header ${header} and the body do not agree`,
});
