import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Member } from '../../catalog/virtual-server.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import type { Exchange } from './exchange.ts';
import { modernHeaders } from './upstream-headers.ts';

/** Sends a modern request to one upstream; `changed` replaces headers that no longer fit the body. */
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

/** Members that can take part in a modern exchange. */
export function modernMembers({ server }: Exchange): readonly Member[] {
  return server.members.filter(({ upstream }) => upstream.facts === undefined || upstream.facts.modern !== undefined);
}
