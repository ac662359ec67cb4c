import { GatewayError } from '../base/errors.ts';
import type { UpstreamFacts } from './facts.ts';
import { messageOf, type Answer } from './own-request.ts';

/** The request that shows an upstream alive at the least cost. */
export const lifeSignMethod = ({ modern }: UpstreamFacts): string => (modern ? 'server/discover' : 'ping');

/**
 * Whether the answer to it shows the server that was connected: an error to a ping does, but one that forgot discover
 * has changed its era.
 *
 * @throws GatewayError upstream_protocol, upstream_redirect, upstream_auth_refused, upstream_http_status
 */
export function assertAlive(answer: Answer, method: string): void {
  const message = messageOf(answer, method);
  if (!('error' in message) || method === 'ping') return;
  throw new GatewayError('upstream_protocol', `the upstream answered ${method} with error ${message.error.code}`, {
    hint: 'it may have been downgraded: refresh this gateway',
  });
}
