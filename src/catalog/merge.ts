import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { LISTINGS } from '../wire/mcp.ts';
import type { ListingMethod } from '../wire/mcp.ts';
import type { Member } from './virtual-server.ts';

/** One member's items of one listing, all pages. */
export interface MemberItems {
  readonly member: Member;
  /** As the upstream sent them. */
  readonly items: readonly unknown[];
}

/**
 * One listing out of many: members in their order, items in the upstream's order, names under the member's prefix,
 * fields we do not know kept. Of two items with the same name the first stays; what has no name is left out, so that
 * one upstream that answers nonsense does not spoil the others' listings.
 */
export function mergeItems(method: ListingMethod, parts: readonly MemberItems[]): Fields[] {
  const { key, prefixed } = LISTINGS[method];
  const merged = new Map<string, Fields>();
  for (const { member, items } of parts) {
    for (const item of items) {
      if (!isFields(item)) continue;
      const own = item[key];
      if (typeof own !== 'string') continue;
      const name = prefixed ? member.prefix + own : own;
      if (!merged.has(name)) merged.set(name, name === own ? item : { ...item, [key]: name });
    }
  }
  return [...merged.values()];
}

/** The union of what several servers can do: a capability is there when any has it, a flag when any sets it. */
export function mergeCapabilities(all: readonly Fields[]): Fields {
  // a Map, since servers choose the names and an object has some of its own
  const merged = new Map<string, unknown>();
  for (const capabilities of all)
    for (const [name, value] of Object.entries(capabilities)) merged.set(name, mergeValue(merged.get(name), value));
  return Object.fromEntries(merged);
}

function mergeValue(known: unknown, more: unknown): unknown {
  if (isFields(known) && isFields(more)) return mergeCapabilities([known, more]);
  return known === undefined || known === false ? more : known;
}

/** Instructions of several servers, each under its name. */
export function mergeInstructions(
  parts: readonly { readonly name: string; readonly instructions: unknown }[],
): string | undefined {
  const texts = parts.flatMap(({ name, instructions }) =>
    typeof instructions === 'string' && instructions !== '' ? [`${name}: ${instructions}`] : [],
  );
  return texts.length === 0 ? undefined : texts.join('\n\n');
}
