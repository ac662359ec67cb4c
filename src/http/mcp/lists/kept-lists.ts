import { utf8 } from '../../../base/bytes.ts';
import type { Fields } from '../../../base/fields.ts';
import { legacyTools } from '../../../bridge/legacy-to-modern/legacy-answer.ts';
import type { Catalogue } from '../../../catalog/catalogue.ts';
import type { Era } from '../../../wire/eras.ts';
import type { JsonRpcId } from '../../../wire/json-rpc.ts';
import { LISTINGS } from '../../../wire/mcp.ts';
import type { ListingMethod } from '../../../wire/mcp.ts';

/** The end of an answer, from the items on: the same for every caller of an era. */
export type ListTail = Uint8Array<ArrayBuffer>;

/** Listings as the bytes they are sent as: written once for a catalogue, gone with it. */
export class KeptLists {
  readonly #tails = new WeakMap<Catalogue, Map<string, ListTail>>();

  tail(catalogue: Catalogue, method: ListingMethod, era: Era = 'modern'): ListTail {
    const known = this.#tails.get(catalogue) ?? new Map<string, ListTail>();
    this.#tails.set(catalogue, known);
    const key = `${era} ${method}`;
    const tail = known.get(key) ?? this.#written(catalogue, method, era);
    known.set(key, tail);
    return tail;
  }

  /** Most lists are the same in both eras, and then so are their bytes. */
  #written(catalogue: Catalogue, method: ListingMethod, era: Era): ListTail {
    const items = catalogue.items(method);
    const taken = itemsIn(era, method, items);
    return era === 'legacy' && taken === items ? this.tail(catalogue, method) : listTail(method, taken);
  }
}

/** Items as clients of an era take them. */
export function itemsIn(era: Era, method: ListingMethod, items: readonly Fields[]): readonly Fields[] {
  return era === 'legacy' && method === 'tools/list' ? legacyTools(items) : items;
}

/** The end of an answer with these items. */
export function listTail(method: ListingMethod, items: readonly Fields[]): ListTail {
  return utf8(`"${LISTINGS[method].member}":${JSON.stringify(items)}}}`);
}

/** The bytes of an answer: what differs from caller to caller and from moment to moment, then what is kept. */
export function spliced(id: JsonRpcId, members: Fields, tail: ListTail): readonly Uint8Array<ArrayBuffer>[] {
  const own = JSON.stringify(members).slice(1, -1);
  return [utf8(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{${own}${own === '' ? '' : ','}`), tail];
}
