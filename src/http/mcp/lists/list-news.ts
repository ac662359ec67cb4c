import { asFields } from '../../../base/fields.ts';
import type { Fields } from '../../../base/fields.ts';
import type { VirtualServer } from '../../../catalog/virtual-server.ts';
import type { Upstream } from '../../../upstream/upstream.ts';
import { META } from '../../../wire/eras.ts';
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { listingsChangedBy } from '../../../wire/mcp.ts';
import { sseMessage } from '../../../wire/sse.ts';
import { seesCallersApart } from './apart-lists.ts';
import type { EventFunnel } from '../event-funnel.ts';
import type { McpServices } from '../exchange.ts';
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
export function tellLegacy({ listChanges }: McpServices, server: VirtualServer, funnel: EventFunnel): void {
  const tell = (method: string) => void funnel.write(sseMessage(JSON.stringify({ jsonrpc: '2.0', method })));
  listChanges.follow(server, tell, funnel.stopped);
}

/** Tells a modern caller of those changes it asked for; the part of its filter that is granted by that. */
export function tellModern(
  { listChanges }: McpServices,
  server: VirtualServer,
  { id, params: asked }: JsonRpcRequest,
  funnel: EventFunnel,
  pass: (data: string) => void,
): Fields {
  const filter = asFields(asked?.['notifications']);
  const wanted = LIST_NEWS.filter((news) => filter?.[news.filter] === true);
  if (wanted.length === 0) return {};
  const params = { _meta: { [META.subscriptionId]: id } };
  const tell = (method: string) => {
    if (wanted.some((news) => news.method === method)) pass(JSON.stringify({ jsonrpc: '2.0', method, params }));
  };
  listChanges.follow(server, tell, funnel.stopped);
  return Object.fromEntries(wanted.map((news) => [news.filter, true]));
}

function methodIn(data: string): string {
  try {
    const method = asFields(JSON.parse(data))?.['method'];
    return typeof method === 'string' ? method : '';
  } catch {
    return '';
  }
}
