import type { RuleSet, Verdict } from '../policy/rule-set.ts';
import type { Target } from '../wire/mcp.ts';
import type { ItemKind } from './exposure.ts';
import { spellingsOf } from './uri-spellings.ts';
import type { VirtualServer } from './virtual-server.ts';

/** A tool, prompt or resource as its upstream names it. */
export interface NamedItem {
  /** The slug of the upstream. */
  readonly gateway: string;
  readonly kind: ItemKind;
  readonly name: string;
}

/** What a name means at a server, whether or not it is listed; undefined where it leads nowhere. */
export function itemNamed({ members, transparent, catalogue }: VirtualServer, target: Target): NamedItem | undefined {
  if (target.by === 'none') return undefined;
  const [only] = members;
  const route = transparent ? only && { member: only } : catalogue.route(target);
  if (route === undefined) return undefined;
  const gateway = route.member.upstream.config.slug;
  if (target.by === 'uri') return { gateway, kind: 'resources', name: target.value };
  const upstreamName = 'upstreamName' in route ? route.upstreamName : undefined;
  return { gateway, kind: target.of, name: upstreamName ?? target.value };
}

/** What rules say of an address: whether anything there is left, and which rule decides. */
export function addressVerdict(rules: RuleSet, { address, members }: VirtualServer): Verdict {
  if (members.length === 0) return rules.address(address);
  const verdicts = members.map(({ upstream }) => rules.item(address, upstream.config.slug));
  return verdicts.find(({ allowed }) => allowed) ?? verdicts.find(({ rule }) => rule !== undefined) ?? NOT_ALLOWED;
}

const NOT_ALLOWED: Verdict = { allowed: false, rule: undefined };

/** What rules say of an item at an address; of a URI, in every spelling servers may take it for. */
export function itemVerdict(rules: RuleSet, address: string, { gateway, kind, name }: NamedItem): Verdict {
  const names = kind === 'resources' ? spellingsOf(name) : [name];
  const verdicts = names.map((one) => rules.item(address, gateway, kind, one));
  return verdicts.find(({ allowed }) => !allowed) ?? verdicts[0] ?? NOT_ALLOWED;
}
