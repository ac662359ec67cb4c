import { asFields } from '../base/fields.ts';
import { META, MODERN_VERSIONS } from './eras.ts';
import { decodeName, METHOD, NAME, PROTOCOL_VERSION } from './headers.ts';
import type { JsonRpcRequest } from './json-rpc.ts';
import { targetOf } from './mcp.ts';
import { RPC } from './rpc-codes.ts';

/** What is wrong with a request of the modern era, as its JSON-RPC error; it travels with status 400. */
export interface EnvelopeProblem {
  readonly code: -32602 | -32020 | -32022;
  readonly message: string;
  readonly data?: object;
}

/** The methods whose name or URI is repeated in Mcp-Name. */
const NAMED = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** What a request's Mcp-Name has to say, before encoding; undefined for a request without that header. */
export function mirroredName(request: Pick<JsonRpcRequest, 'method' | 'params'>): string | undefined {
  const target = NAMED.has(request.method) ? targetOf(request) : undefined;
  return target === undefined || target.by === 'none' ? undefined : target.value;
}

/**
 * What whoever reads the body of a modern request must find in it: an envelope that says the same as the headers.
 *
 * @see MCP 2026-07-28, transports, SEP-2243
 */
export function envelopeProblem(headers: Pick<Headers, 'get'>, request: JsonRpcRequest): EnvelopeProblem | undefined {
  const meta = asFields(request.params?.['_meta']);
  const version = headers.get(PROTOCOL_VERSION) ?? '';
  const inBody = meta?.[META.protocolVersion];
  if (typeof inBody !== 'string' || asFields(meta?.[META.clientCapabilities]) === undefined)
    return {
      code: RPC.invalidParams,
      message: `params._meta lacks ${META.protocolVersion} or ${META.clientCapabilities}`,
    };
  if (inBody !== version) return headerMismatch(PROTOCOL_VERSION);
  if (!MODERN_VERSIONS.includes(version))
    return {
      code: RPC.unsupportedVersion,
      message: `protocol version ${version.slice(0, 40)} is not supported here`,
      data: { supported: MODERN_VERSIONS, requested: version },
    };
  if (headers.get(METHOD) !== request.method) return headerMismatch(METHOD);
  const name = mirroredName(request);
  if (name !== undefined && decodeName(headers.get(NAME) ?? '') !== name) return headerMismatch(NAME);
  return undefined;
}

/** That a header does not repeat what the body says. */
export const headerMismatch = (header: string): EnvelopeProblem => ({
  code: RPC.headerMismatch,
  message: `the header ${header} and the body do not agree`,
});
