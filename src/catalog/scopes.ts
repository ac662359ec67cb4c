import { matcherOf } from '../base/patterns.ts';
import type { TokenScope } from '../identity/principal.ts';
import type { Narrowing } from './narrowing.ts';

/** What scopes of credentials leave of servers; made once for each. */
export class Scopes {
  readonly #made = new WeakMap<TokenScope, Narrowing>();

  of(scope: TokenScope): Narrowing {
    const narrowing = this.#made.get(scope) ?? narrowingTo(scope);
    this.#made.set(scope, narrowing);
    return narrowing;
  }
}

function narrowingTo({ servers, tools }: TokenScope): Narrowing {
  const isAt = servers === undefined ? () => true : matcherOf(servers);
  const isTool = tools && matcherOf(tools);
  return {
    id: JSON.stringify([servers, tools]),
    address: (address) => ({ allowed: isAt(address) }),
    share: (address) => {
      if (!isAt(address)) return 'nothing';
      return isTool === undefined ? 'all' : (kind, nameOrUri) => kind !== 'tools' || isTool(nameOrUri);
    },
  };
}
