import type { Fields } from '../base/fields.ts';
import type { Listing } from '../upstream/facts.ts';
import type { ListingMethod, Target } from '../wire/mcp.ts';
import { partOf, plainName } from './catalogue-part.ts';
import type { CataloguePart, Collision, Published } from './catalogue-part.ts';
import { isShown, routeTo } from './member.ts';
import type { Member, Route } from './member.ts';
import { spellingsOf } from './uri-spellings.ts';
import { matchesTemplate } from './uri-template.ts';

/**
 * What the members of one server offer under which names, and which of them each name leads to. Made of what they
 * listed last: once one of them is listed anew, there is another catalogue.
 *
 * Members come in their order, items in the upstream's; fields we do not know are kept. Of two items with the same name
 * the first stays; what has no name is left out, so that one upstream that answers nonsense does not spoil the others'
 * listings.
 */
export class Catalogue {
  readonly #members: readonly Member[];
  readonly #listings: readonly (Listing | undefined)[];
  readonly #transparent: boolean;
  readonly #parts = new Map<ListingMethod, CataloguePart>();

  /**
   * @param transparent the only member's names and requests are left as they are
   * @param listings what each member lists; default what it listed last
   */
  constructor(members: readonly Member[], transparent: boolean, listings = members.map(listingOf)) {
    this.#members = members;
    this.#listings = listings;
    this.#transparent = transparent;
  }

  /** Whether no member was listed anew since. */
  get isCurrent(): boolean {
    return this.#members.every((member, index) => listingOf(member) === this.#listings[index]);
  }

  /** One listing over all members; the same array each time. */
  items(method: ListingMethod): readonly Fields[] {
    return this.#part(method).items;
  }

  /** One listing, and where each of its items comes from. */
  published(method: ListingMethod): Iterable<Published> {
    return this.#part(method).published.values();
  }

  /** What members list and cannot be published, since another one has the name. */
  collisions(method: ListingMethod): readonly Collision[] {
    return this.#part(method).collisions;
  }

  /**
   * The member that owns a target; undefined when none does, or does not show it.
   *
   * A name that is not listed goes by alias, else by its prefix, the longest where several match: a member may not have
   * been listed yet. A URI that is not listed goes to the first member with a matching template, else to the first that has
   * resources at all: servers may read what they do not list.
   */
  route(target: Target): Route | undefined {
    const [first] = this.#members;
    if (first === undefined || this.#transparent) return first && { member: first };
    if (target.by === 'none') return undefined;
    return target.by === 'uri' ? this.#routeByUri(target.value) : this.#routeByName(target.of, target.value);
  }

  #routeByName(kind: 'tools' | 'prompts', name: string): Route | undefined {
    const { published, hidden } = this.#part(`${kind}/list`);
    const known = published.get(name);
    if (known !== undefined) return known;
    for (const member of kind === 'tools' ? this.#members : []) {
      const upstreamName = member.exposure?.aliases.get(name);
      if (upstreamName !== undefined) return routeTo(member, name, upstreamName);
    }
    if (hidden.has(plainName(name)) || (kind === 'tools' && this.#isWithheld(name))) return undefined;
    const [member] = this.#members
      .filter(({ prefix }) => name.startsWith(prefix))
      .toSorted((a, b) => b.prefix.length - a.prefix.length);
    if (member === undefined) return undefined;
    const upstreamName = name.slice(member.prefix.length);
    return isShown(member, kind, upstreamName) ? routeTo(member, name, upstreamName) : undefined;
  }

  #isWithheld(name: string): boolean {
    return this.#members.some(({ exposure }) => exposure?.withheld.has(name));
  }

  #routeByUri(uri: string): Route | undefined {
    const resources = this.#part('resources/list');
    const templates = this.#part('resources/templates/list');
    const known = resources.published.get(uri) ?? templates.published.get(uri);
    if (known !== undefined) return known;
    if (uri.length > MAX_URI_CHARACTERS) return undefined;
    const spellings = spellingsOf(uri);
    const isReadable = (member: Member) => spellings.every((spelling) => isShown(member, 'resources', spelling));
    const owners = [...templates.published.values()].filter(({ name }) => matchesTemplate(name, uri));
    const owner = owners.find(({ member }) => isReadable(member));
    if (owner !== undefined) return { member: owner.member };
    const isHidden = spellings.some(
      (one) => resources.hidden.has(one) || [...templates.hidden].some((name) => matchesTemplate(name, one)),
    );
    if (isHidden || owners.length > 0) return undefined;
    const member = this.#members.find((one) => hasResources(one) && isReadable(one));
    return member && { member };
  }

  #part(method: ListingMethod): CataloguePart {
    const made = this.#parts.get(method);
    if (made !== undefined) return made;
    const part = partOf(method, this.#members, this.#listings, this.#transparent);
    this.#parts.set(method, part);
    return part;
  }
}

/** Of a URI nobody lists: each is compared with all templates and rules there are. */
const MAX_URI_CHARACTERS = 64 * 1024;

const listingOf = ({ upstream }: Member): Listing | undefined => upstream.facts?.listing;

function hasResources({ upstream: { facts } }: Member): boolean {
  const capabilities = facts?.modern?.capabilities ?? facts?.legacy?.capabilities;
  return capabilities?.['resources'] !== undefined;
}
