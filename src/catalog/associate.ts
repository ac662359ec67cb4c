import { GatewayError } from '../base/errors.ts';
import type { ItemKind } from './exposure.ts';
import { publishedItems } from './published-items.ts';
import type { MemberRule } from './server-record.ts';
import type { VirtualServer } from './virtual-server.ts';

const NOTHING = { tools: [], prompts: [], resources: [] } as const;

/**
 * Members that show exactly these items of one kind, and of the other kinds what they showed before.
 *
 * @param given ids or names as `everything` publishes them
 * @throws GatewayError config_invalid for what is not published
 */
export function associate(
  rules: readonly MemberRule[],
  kind: ItemKind,
  given: readonly string[],
  everything: VirtualServer,
): readonly MemberRule[] {
  const wanted = Map.groupBy(find(kind, given, everything), ({ slug }) => slug);
  const listOf = (slug: string): readonly string[] => wanted.get(slug)?.map(({ name }) => name) ?? [];
  const changed = rules.map((rule) => ({ ...rule, [kind]: rule.tags === undefined ? listOf(rule.gateway) : [] }));
  const known = new Set(rules.filter(({ tags }) => tags === undefined).map(({ gateway }) => gateway));
  const added = [...wanted.keys()]
    .filter((slug) => !known.has(slug))
    .map((slug): MemberRule => ({ gateway: slug, ...NOTHING, [kind]: listOf(slug) }));
  // in front, since a gateway belongs to the first rule that matches it
  return [...added, ...changed].filter(showsAnything);
}

const showsAnything = ({ tools, prompts, resources, aliases = {} }: MemberRule): boolean =>
  [tools, prompts, resources].some((list) => list === undefined || list.length > 0) || Object.keys(aliases).length > 0;

const SHOWN_COUNT = 5;
const SHOWN_CHARACTERS = 128;

function find(kind: ItemKind, given: readonly string[], everything: VirtualServer) {
  const items = publishedItems(everything, kind);
  const byName = new Map(items.flatMap((item) => [[item.name, item] as const, [item.id, item] as const]));
  const unknown = given.filter((name) => !byName.has(name)).map((name) => name.slice(0, SHOWN_CHARACTERS));
  if (unknown.length > 0)
    throw new GatewayError(
      'config_invalid',
      `none of the published ${kind} has the id or name ${unknown.slice(0, SHOWN_COUNT).join(', ')}`,
      { hint: `GET /v1/${kind} lists them`, details: { unknown: unknown.slice(0, SHOWN_COUNT) } },
    );
  return [...new Set(given.flatMap((name) => byName.get(name) ?? []))].map(({ member, originalName }) => ({
    slug: member.upstream.config.slug,
    name: originalName,
  }));
}
