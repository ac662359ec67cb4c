import { GatewayError } from '../../base/errors.ts';
import type { Route } from '../../catalog/member.ts';
import { itemNamed, itemVerdict } from '../../catalog/named-item.ts';
import { wholeOf } from '../../catalog/views.ts';
import type { JsonRpcRequest } from '../../wire/json-rpc.ts';
import { targetOf } from '../../wire/mcp.ts';
import type { Target } from '../../wire/mcp.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import type { Exchange, McpServices } from './exchange.ts';

/**
 * Where a request to a joined server leads.
 *
 * @param unknownMethodStatus 404 in the modern era; 200 in the legacy era, where 404 means a lost session
 * @throws GatewayError not_found, also for what policy keeps from this caller: what is hidden looks like what is not there
 */
export function routeOf(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
  unknownMethodStatus: number,
): Route {
  const target = targetOf(request);
  const route = exchange.server.catalogue.route(target);
  if (route !== undefined) return route;
  tellIfRefused(services, exchange, request.method, target);
  throw unroutable(request.method, target, unknownMethodStatus);
}

/** Why a request leads to no upstream. */
export function unroutable(method: string, target: Target, unknownMethodStatus: number): GatewayError {
  if (target.by === 'none')
    return new GatewayError('not_found', `method ${shown(method)} is not known here`, {
      details: { rpcCode: RPC.methodNotFound, rpcStatus: unknownMethodStatus },
    });
  return new GatewayError('not_found', `nothing here is called ${shown(target.value)}`, {
    details: { rpcCode: RPC.invalidParams, rpcStatus: 200 },
  });
}

/** A name as an answer repeats it: long enough to be recognised. */
export const shown = (name: string): string => name.slice(0, 128);

/** Reports a request for what is there, and kept from this caller. */
export function tellIfRefused(
  { events, policies }: McpServices,
  { server, principal }: Exchange,
  method: string,
  target: Target,
): void {
  const rules = policies.inForce.rulesOf(principal);
  const item = server.narrowed && itemNamed(wholeOf(server), target);
  if (item === undefined || rules === undefined) return;
  const { subject } = principal;
  const { address } = server;
  const { allowed, rule = null } = itemVerdict(rules, address, item);
  // the scope of a token keeps it back
  if (allowed) return;
  events('policy.refused', {
    subject,
    action: method,
    server: address,
    gateway: item.gateway,
    target: shown(item.name),
    rule,
  });
}
