import { GatewayError } from '../../base/errors.ts';
import { asFields } from '../../base/fields.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { META, MODERN_VERSIONS } from '../../wire/eras.ts';
import { decodeName, METHOD, NAME, PROTOCOL_VERSION } from '../../wire/headers.ts';
import type { JsonRpcRequest } from '../../wire/json-rpc.ts';
import { isListing, targetOf } from '../../wire/mcp.ts';
import { mismatchingParam, paramHeadersOf } from '../../wire/param-headers.ts';

/** Methods whose name or URI is repeated in a header. */
const NAMED = new Set(['tools/call', 'prompts/get', 'resources/read']);
const METHODS = new Set([...NAMED, 'server/discover', 'subscriptions/listen', 'completion/complete']);

/** Whether the modern era has this method. */
export const isModernMethod = (method: string): boolean => METHODS.has(method) || isListing(method);

/**
 * What a modern upstream checks itself, unless its request is rewritten, answered here or carried to another era.
 *
 * @throws GatewayError request_invalid, header_mismatch, protocol_version_unsupported
 * @see MCP 2026-07-28, transports, Streamable HTTP
 */
export function checkEnvelope(headers: Headers, request: JsonRpcRequest): void {
  const meta = asFields(request.params?.['_meta']);
  const version = headers.get(PROTOCOL_VERSION) ?? '';
  const inBody = meta?.[META.protocolVersion];
  if (typeof inBody !== 'string' || asFields(meta?.[META.clientCapabilities]) === undefined)
    throw new GatewayError(
      'request_invalid',
      `params._meta lacks ${META.protocolVersion} or ${META.clientCapabilities}`,
      { details: { rpcCode: -32602, rpcStatus: 400 } },
    );
  if (inBody !== version) throw mismatch(PROTOCOL_VERSION);
  if (!MODERN_VERSIONS.includes(version)) throw unsupported(version);
  if (headers.get(METHOD) !== request.method) throw mismatch(METHOD);
  const named = NAMED.has(request.method) ? targetOf(request) : undefined;
  if (named && named.by !== 'none' && decodeName(headers.get(NAME) ?? '') !== named.value) throw mismatch(NAME);
}

/**
 * The headers that repeat arguments of a tools/call, against what the upstream's listing says of the tool.
 *
 * @throws GatewayError header_mismatch
 * @see MCP 2026-07-28, transports, SEP-2243
 */
export function checkParamHeaders(headers: Headers, { facts }: Upstream, { method, params }: JsonRpcRequest): void {
  if (method !== 'tools/call') return;
  const tool = facts?.listing.tools.find(({ name }) => name === params?.['name']);
  if (tool === undefined) return;
  const header = mismatchingParam(paramHeadersOf(tool['inputSchema']), asFields(params?.['arguments']) ?? {}, headers);
  if (header !== undefined) throw mismatch(header);
}

const mismatch = (header: string): GatewayError =>
  new GatewayError('header_mismatch', `the header ${header} and the body do not agree`);

function unsupported(requested: string): GatewayError {
  return new GatewayError(
    'protocol_version_unsupported',
    `protocol version ${requested.slice(0, 40)} is not supported here`,
    { details: { rpcData: { supported: MODERN_VERSIONS, requested } } },
  );
}
