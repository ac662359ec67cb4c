import { LISTINGS } from '../wire/mcp.ts';
import type { ListingMethod } from '../wire/mcp.ts';
import type { Member } from './virtual-server.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One member's items of one listing, all pages. */
export interface MemberItems {
  readonly member: Member;
  readonly items: readonly Fields[];
}

/**
 * One listing out of many: members in their order, items in the upstream's order, names under the member's prefix,
 * fields we do not know kept. Of two items with the same name the first stays.
 */
export function mergeItems(method: ListingMethod, parts: readonly MemberItems[]): Fields[] {
  const { key, prefixed } = LISTINGS[method];
  const merged = new Map<unknown, Fields>();
  for (const { member, items } of parts) {
    for (const item of items) {
      const renames = prefixed && member.prefix !== '';
      const name = renames ? `${member.prefix}${String(item[key])}` : item[key];
      if (!merged.has(name)) merged.set(name, renames ? { ...item, [key]: name } : item);
    }
  }
  return [...merged.values()];
}

/** The union of what several servers can do: a capability is there when any has it, a flag when any sets it. */
export function mergeCapabilities(all: readonly Fields[]): Fields {
  const merged: Record<string, unknown> = {};
  for (const capabilities of all)
    for (const [name, value] of Object.entries(capabilities)) merged[name] = mergeValue(merged[name], value);
  return merged;
}

function mergeValue(known: unknown, more: unknown): unknown {
  if (isFields(known) && isFields(more)) return mergeCapabilities([known, more]);
  return known === undefined || known === false ? more : known;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Instructions of several servers, each under its name. */
export function mergeInstructions(
  parts: readonly { readonly name: string; readonly instructions: unknown }[],
): string | undefined {
  const texts = parts.flatMap(({ name, instructions }) =>
    typeof instructions === 'string' && instructions !== '' ? [`${name}: ${instructions}`] : [],
  );
  return texts.length === 0 ? undefined : texts.join('\n\n');
}
