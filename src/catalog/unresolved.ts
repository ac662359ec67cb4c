import { isPattern } from '../base/patterns.ts';
import type { RegisteredGateway } from '../registry/snapshot.ts';
import type { Listing } from '../upstream/facts.ts';
import type { ItemKind } from './exposure.ts';
import type { MemberRule, ServerDraft } from './server-record.ts';

/** Something a virtual server names and does not have at the moment; it is served without. */
export interface Unresolved {
  readonly gateway: string;
  readonly kind: 'gateway' | 'tool' | 'prompt' | 'resource';
  /** The tool, prompt or resource; null where the whole gateway is missing. */
  readonly name: string | null;
  readonly reason: string;
}

/** What is missing of a virtual server: gateways and items by name; of patterns nothing can be missing. */
export function unresolvedIn(
  { members }: Pick<ServerDraft, 'members'>,
  gateways: readonly RegisteredGateway[],
): readonly Unresolved[] {
  return members.flatMap((rule) => {
    const { gateway: slug } = rule;
    if (isPattern(slug)) return [];
    const found = gateways.find(({ id, record }) => (record?.slug ?? id) === slug);
    const reason = reasonOf(found);
    if (reason !== undefined) return [{ gateway: slug, kind: 'gateway', name: null, reason }];
    return missingItems(rule, found?.upstream?.facts?.listing);
  });
}

function reasonOf(found: RegisteredGateway | undefined): string | undefined {
  if (found === undefined) return 'no gateway has this slug';
  if (found.upstream === undefined) return 'the gateway is refused, see its lastError';
  if (!found.record.enabled) return 'the gateway is not active';
  return found.upstream.facts === undefined ? 'the gateway was never reached' : undefined;
}

function missingItems(rule: MemberRule, listing: Listing | undefined): readonly Unresolved[] {
  if (listing === undefined) return [];
  const { tools = [], prompts = [], resources = [], aliases = {} } = rule;
  const missing = (kind: ItemKind, wanted: readonly string[], known: ReadonlySet<unknown>): readonly Unresolved[] =>
    wanted
      .filter((name) => !known.has(name) && !name.includes('*'))
      .map((name) => ({ gateway: rule.gateway, kind: KINDS[kind], name, reason: 'the gateway does not list it' }));
  return [
    ...missing('tools', [...tools, ...Object.values(aliases)], namesIn(listing.tools, 'name')),
    ...missing('prompts', prompts, namesIn(listing.prompts, 'name')),
    ...missing(
      'resources',
      resources,
      new Set([...namesIn(listing.resources, 'uri'), ...namesIn(listing.resourceTemplates, 'uriTemplate')]),
    ),
  ];
}

const KINDS = { tools: 'tool', prompts: 'prompt', resources: 'resource' } as const;

const namesIn = (items: Listing[keyof Listing], key: string): ReadonlySet<unknown> =>
  new Set(items.map((item) => item[key]));
