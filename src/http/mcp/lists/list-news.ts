import { asFields } from '../../../base/fields.ts';
import type { Fields } from '../../../base/fields.ts';
import type { Upstream } from '../../../upstream/upstream.ts';
import { META } from '../../../wire/eras.ts';
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { listingsChangedBy } from '../../../wire/mcp.ts';
import { sseMessage } from '../../../wire/sse.ts';
import { seesCallersApart } from './apart-lists.ts';
import type { EventFunnel } from '../event-funnel.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { LIST_NEWS } from './list-changes.ts';

/**
 * Looks at a message of an upstream on its way to a caller of a joined server, and takes note when lists changed.
 *
 * @returns true for news the server tells itself, once and when the change can be read, so that they need not be passed
 */
export function isToldByUs(upstream: Upstream, data: string | undefined): boolean {
  // most messages are something else: look before parsing
  if (data === undefined || !data.includes('list_changed')) return false;
  const changed = listingsChangedBy(methodIn(data));
  if (changed.length === 0) return false;
  upstream.listings.changed(changed);
  return !seesCallersApart(upstream);
}

/** Tells a legacy caller of changes of a joined server's lists, until its stream ends. */
export function tellLegacy(services: McpServices, exchange: Exchange, funnel: EventFunnel): void {
  const tell = (method: string) => void funnel.write(sseMessage(JSON.stringify({ jsonrpc: '2.0', method })));
  services.listChanges.follow(exchange.server, tell, funnel.stopped);
  endWithRules(services, exchange, funnel, tell);
}

/** Tells a modern caller of those changes it asked for; the part of its filter that is granted by that. */
export function tellModern(
  services: McpServices,
  exchange: Exchange,
  { id, params: asked }: JsonRpcRequest,
  funnel: EventFunnel,
  pass: (data: string) => void,
): Fields {
  const filter = asFields(asked?.['notifications']);
  const wanted = LIST_NEWS.filter((news) => filter?.[news.filter] === true);
  if (wanted.length === 0) {
    endWithRules(services, exchange, funnel);
    return {};
  }
  const params = { _meta: { [META.subscriptionId]: id } };
  const tell = (method: string) => {
    if (wanted.some((news) => news.method === method)) pass(JSON.stringify({ jsonrpc: '2.0', method, params }));
  };
  services.listChanges.follow(exchange.server, tell, funnel.stopped);
  endWithRules(services, exchange, funnel, tell);
  return Object.fromEntries(wanted.map((news) => [news.filter, true]));
}

/**
 * Ends a stream once other rules apply to its caller, who opens it anew by them; it is told before that its lists may be
 * others.
 */
export function endWithRules(
  { policies }: McpServices,
  { principal }: Exchange,
  funnel: EventFunnel,
  tell: (method: string) => void = () => undefined,
): void {
  const end = (): void => {
    for (const { method } of LIST_NEWS) tell(method);
    funnel.stop();
  };
  policies.whenOther(principal, end, funnel.stopped);
}

function methodIn(data: string): string {
  try {
    const method = asFields(JSON.parse(data))?.['method'];
    return typeof method === 'string' ? method : '';
  } catch {
    return '';
  }
}
