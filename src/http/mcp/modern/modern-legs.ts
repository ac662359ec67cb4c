import type { CancelSignal } from '../../../base/cancel-signal.ts';
import type { Member } from '../../../catalog/member.ts';
import type { ChannelResponse } from '../../../tls/dialer.ts';
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { failureOf } from '../answers.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { checkParamHeaders } from './modern-envelope.ts';
import { modernHeaders, passedHeaders } from '../upstream-headers.ts';

/** Sends a modern request to one upstream as it is; `changed` replaces headers that no longer fit the body. */
export function sendModern(
  exchange: Exchange,
  { upstream }: Member,
  mcpMethod: string,
  body: string,
  changed: Readonly<Record<string, string>> = {},
  signal: CancelSignal = exchange.signal,
): Promise<ChannelResponse> {
  const headers = modernHeaders(exchange.request, upstream, changed);
  return upstream.send(exchange.grant, { method: 'POST', headers, body, signal, mcpMethod });
}

/**
 * Carries a modern request to an upstream of the legacy era, under the names the upstream knows.
 *
 * @throws GatewayError header_mismatch, and as `ModernToLegacy`
 */
export async function sendBridged(
  { modernToLegacy }: McpServices,
  { request: incoming, server, grant, signal }: Exchange,
  { upstream }: Member,
  request: JsonRpcRequest,
  until: CancelSignal = signal,
): Promise<ChannelResponse> {
  checkParamHeaders(incoming.headers, upstream, request);
  return modernToLegacy.send({
    upstream,
    grant,
    server: server.key,
    request,
    passed: passedHeaders(incoming, upstream),
    signal: until,
    describe: (error) => failureOf(request.id, error).error,
  });
}

/**
 * Whether an upstream takes modern requests as they are; one that was never reached is asked first.
 *
 * @throws GatewayError dial codes, and as `Upstream.connect`
 */
export function speaksModern({ upstream }: Member, { grant, signal }: Exchange): boolean | Promise<boolean> {
  const { facts } = upstream;
  // known on almost every call, and this is on its way
  if (facts) return facts.modern !== undefined;
  return upstream.connect(grant, signal).then(({ modern }) => modern !== undefined);
}
