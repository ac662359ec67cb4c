import type { Route } from '../../catalog/member.ts';
import type { JsonRpcRequest } from '../../wire/json-rpc.ts';
import { renamed } from '../../wire/mcp.ts';

/** A request as the upstream gets it, and its JSON. */
export interface RoutedRequest {
  readonly sent: JsonRpcRequest;
  readonly text: string;
}

/** A request for the member it leads to. @param text its own JSON, which goes on as it is where the name does */
export function routedRequest({ upstreamName }: Route, request: JsonRpcRequest, text: string): RoutedRequest {
  if (upstreamName === undefined) return { sent: request, text };
  const sent = renamed(request, upstreamName);
  return { sent, text: JSON.stringify(sent) };
}
