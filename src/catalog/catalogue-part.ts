import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import type { Listing } from '../upstream/facts.ts';
import { foldedName } from '../wire/lookalikes.ts';
import { LISTINGS } from '../wire/mcp.ts';
import type { ListingMethod } from '../wire/mcp.ts';
import type { ItemKind } from './exposure.ts';
import { isShown, routeTo } from './member.ts';
import type { Member, Route } from './member.ts';
import { publishedName } from './names.ts';

/** An item as it is published. */
export interface Published extends Route {
  /** The name, URI or template callers use. */
  readonly name: string;
  /** With that name in it, and every other field as the upstream sent it. */
  readonly item: Fields;
}

/** A name under which two things would be published. */
export interface Collision {
  readonly method: ListingMethod;
  readonly name: string;
  /** The first one, which is. */
  readonly shown: Published;
  readonly hidden: Published;
}

/** One listing of a catalogue. */
export interface CataloguePart {
  readonly items: readonly Fields[];
  readonly published: ReadonlyMap<string, Published>;
  /** What some member has and does not show, by the name it would have here; of tools and prompts as `plainName` has it. */
  readonly hidden: ReadonlySet<string>;
  readonly collisions: readonly Collision[];
}

/** Works out one listing over members and what each of them listed. */
export function partOf(
  method: ListingMethod,
  members: readonly Member[],
  listings: readonly (Listing | undefined)[],
  transparent: boolean,
): CataloguePart {
  const published = new Map<string, Published>();
  const hidden = new Set<string>();
  const collisions: Collision[] = [];
  members.forEach((member, index) => {
    const { shown, hides } = contributionOf(member, method, listings[index], transparent);
    for (const name of hides) hidden.add(LISTINGS[method].prefixed ? plainName(name) : name);
    for (const entry of shown) {
      const taken = published.get(entry.name);
      if (taken === undefined) published.set(entry.name, entry);
      else if (taken.member !== entry.member || taken.upstreamName !== entry.upstreamName)
        collisions.push({ method, name: entry.name, shown: taken, hidden: entry });
    }
  });
  return { items: [...published.values()].map(({ item }) => item), published, hidden, collisions };
}

/** A name as servers may read it that do not mind case or what stands around it. */
export const plainName = (name: string): string => foldedName(name.trim());

const KINDS: Readonly<Record<ListingMethod, ItemKind>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resources',
};

/** What one member adds to a listing, and what it keeps back. */
function contributionOf(member: Member, method: ListingMethod, listing: Listing | undefined, transparent: boolean) {
  const { key, prefixed, member: list } = LISTINGS[method];
  const kind = KINDS[method];
  const aliases = Map.groupBy(kind === 'tools' ? (member.exposure?.aliases ?? []) : [], ([, tool]) => tool);
  const shown: Published[] = [];
  const hides: string[] = [];
  // an upstream may have listed anything
  const items: unknown = listing?.[list];
  for (const item of Array.isArray(items) ? (items as readonly unknown[]) : []) {
    const own = isFields(item) ? item[key] : undefined;
    if (!isFields(item) || typeof own !== 'string') continue;
    const usual = prefixed && !transparent ? publishedName(member.prefix, own) : own;
    const names = (aliases.get(own) ?? []).map(([alias]) => alias);
    if (isShown(member, kind, own)) names.push(usual);
    else hides.push(usual);
    for (const name of names)
      shown.push({ ...routeTo(member, name, own), name, item: name === own ? item : { ...item, [key]: name } });
  }
  return { shown, hides };
}
