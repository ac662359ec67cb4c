import type { TLSSocket } from 'node:tls';
import type { CallerConnection } from '../../../src/index.ts';
import { chainOf } from './callers.ts';
import type { Incoming } from './servers.ts';

/** What callers showed, looked up once per connection. */
export class CallerConnections {
  readonly #known = new WeakMap<object, CallerConnection | { readonly chain?: undefined }>();

  /** The connection of a request; undefined where its caller showed no certificate. */
  of(incoming: Incoming): CallerConnection | undefined {
    const session = 'stream' in incoming ? incoming.stream.session : undefined;
    const key = session ?? incoming.socket;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = shownOn((session?.socket ?? incoming.socket) as TLSSocket);
      this.#known.set(key, known);
    }
    return known.chain === undefined ? undefined : known;
  }
}

function shownOn(socket: TLSSocket): CallerConnection | { readonly chain?: undefined } {
  const chain = socket.authorized ? chainOf(socket).map(({ raw }) => raw) : [];
  return chain.length === 0 ? {} : { chain };
}
