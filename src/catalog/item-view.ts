import type { ItemKind } from './exposure.ts';
import type { IdentifiedItem } from './published-items.ts';

/** What each kind shows of an item, beside what all of them show. */
const SHOWN = {
  tools: ['title', 'description', 'inputSchema', 'outputSchema', 'annotations'],
  prompts: ['title', 'description', 'arguments'],
  resources: ['uri', 'uriTemplate', 'title', 'description', 'mimeType'],
} as const satisfies Readonly<Record<ItemKind, readonly string[]>>;

/** A published item as people and scripts see it; what its upstream did not say is null. @see /openapi.json, ToolRead */
export function itemView(kind: ItemKind, { id, name, originalName, member, item }: IdentifiedItem) {
  const { id: gatewayId, slug: gatewaySlug } = member.upstream.config;
  return {
    id,
    name: kind === 'resources' ? (item['name'] ?? null) : name,
    originalName,
    gatewayId,
    gatewaySlug,
    ...Object.fromEntries(SHOWN[kind].map((field) => [field, item[field] ?? null])),
  };
}
