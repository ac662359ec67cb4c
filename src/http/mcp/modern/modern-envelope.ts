import { GatewayError } from '../../../base/errors.ts';
import type { ErrorCode } from '../../../base/errors.ts';
import { asFields } from '../../../base/fields.ts';
import type { Upstream } from '../../../upstream/upstream.ts';
import { envelopeProblem, headerMismatch } from '../../../wire/envelope.ts';
import type { EnvelopeProblem } from '../../../wire/envelope.ts';
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { isListing } from '../../../wire/mcp.ts';
import { mismatchingParam, paramHeadersOf } from '../../../wire/param-headers.ts';

const METHODS = new Set([
  'tools/call',
  'prompts/get',
  'resources/read',
  'server/discover',
  'subscriptions/listen',
  'completion/complete',
]);

/** Whether the modern era has this method. */
export const isModernMethod = (method: string): boolean => METHODS.has(method) || isListing(method);

/**
 * What a modern upstream checks itself, unless its request is rewritten, answered here or carried to another era.
 *
 * @throws GatewayError request_invalid, header_mismatch, protocol_version_unsupported
 * @see MCP 2026-07-28, transports, Streamable HTTP
 */
export function checkEnvelope(headers: Headers, request: JsonRpcRequest): void {
  const problem = envelopeProblem(headers, request);
  if (problem) throw refused(problem);
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
  if (header !== undefined) throw refused(headerMismatch(header));
}

const CODES: Readonly<Record<EnvelopeProblem['code'], ErrorCode>> = {
  [-32602]: 'request_invalid',
  [-32020]: 'header_mismatch',
  [-32022]: 'protocol_version_unsupported',
};

const refused = ({ code, message, data }: EnvelopeProblem): GatewayError =>
  new GatewayError(CODES[code], message, {
    details: { rpcCode: code, rpcStatus: 400, ...(data && { rpcData: data }) },
  });
