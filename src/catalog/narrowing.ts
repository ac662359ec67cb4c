import type { ItemKind } from './exposure.ts';

/** What callers may have of servers. */
export interface Narrowing {
  /** The same wherever the same may be had. */
  readonly id: string;
  /** Whether an address without upstreams is one of theirs. */
  address(address: string): { readonly allowed: boolean };
  /** What of an upstream, by slug, may be had at an address: of items, as it names them, those this is true for. */
  share(address: string, gateway: string): 'all' | 'nothing' | ((kind: ItemKind, nameOrUri: string) => boolean);
}
