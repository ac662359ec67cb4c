import type { TLSSocket } from 'node:tls';
import type { CallerConnection } from '../../../src/index.ts';
import { rawOf } from '../dialer/shown-chain.ts';
import { peerAddress } from './address.ts';
import { chainOn } from './caller-chain.ts';
import type { Incoming } from './servers.ts';

/** Who is at the other end, looked up once per connection. */
export class CallerConnections {
  readonly #known = new WeakMap<object, CallerConnection>();

  /** The connection of a request. */
  of(incoming: Incoming): CallerConnection {
    const session = 'stream' in incoming ? incoming.stream.session : undefined;
    const key = session ?? incoming.socket;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = seenOn((session?.socket ?? incoming.socket) as TLSSocket);
      this.#known.set(key, known);
    }
    return known;
  }
}

/**
 * In plain text nobody is authorised, and nothing is shown. A connection that was reset has no address any more: it may
 * have been that of a trusted proxy, whose certificate must not name whoever is behind it.
 */
function seenOn(socket: TLSSocket): CallerConnection {
  const address = peerAddress(socket);
  const isKnown = address !== undefined && socket.authorized;
  return { address, chain: isKnown ? rawOf(chainOn(socket)) : [] };
}
