import { sha256 } from '@noble/hashes/sha2.js';
import { toBase64Url, utf8 } from '../base/bytes.ts';
import type { ListingMethod } from '../wire/mcp.ts';
import type { Published } from './catalogue-part.ts';
import type { ItemKind } from './exposure.ts';
import type { VirtualServer } from './virtual-server.ts';

const METHODS: Readonly<Record<ItemKind, readonly ListingMethod[]>> = {
  tools: ['tools/list'],
  prompts: ['prompts/list'],
  resources: ['resources/list', 'resources/templates/list'],
};

/** A published item with its id and the name its upstream knows it by. */
export interface IdentifiedItem extends Published {
  /** Made of kind, gateway slug and original name, so that it is the same on every replica and after a new start. */
  readonly id: string;
  readonly originalName: string;
}

/** Everything of one kind that a server publishes. */
export function publishedItems({ catalogue }: VirtualServer, kind: ItemKind): readonly IdentifiedItem[] {
  return METHODS[kind].flatMap((method) =>
    [...catalogue.published(method)].map((entry) => {
      const originalName = entry.upstreamName ?? entry.name;
      return { ...entry, id: itemId(method, entry.member.upstream.config.slug, originalName), originalName };
    }),
  );
}

const ID_BYTES = 16;

function itemId(method: ListingMethod, slug: string, name: string): string {
  return toBase64Url(sha256(utf8(JSON.stringify([method, slug, name]))).slice(0, ID_BYTES));
}
