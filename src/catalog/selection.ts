import { isPattern, matcherOf } from '../base/patterns.ts';
import type { GatewayEntry } from '../registry/snapshot.ts';
import { exposureOf } from './exposure.ts';
import type { Member } from './member.ts';
import type { MemberRule, ServerDraft } from './server-record.ts';
import { serverOf } from './virtual-server.ts';
import type { VirtualServer } from './virtual-server.ts';

/** A gateway in a virtual server, and the rule it is there by. */
export interface Selected {
  readonly rule: MemberRule;
  readonly entry: GatewayEntry;
}

/**
 * The gateways of a virtual server: rules in their order, the gateways of each in the order of registration. A gateway
 * belongs to the first rule that matches it, so a rule about one may stand before a rule about all.
 */
export function selectedBy(rules: readonly MemberRule[], entries: readonly GatewayEntry[]): readonly Selected[] {
  const taken = new Set<string>();
  return rules.flatMap((rule) => {
    const isNamed = matcherOf([rule.gateway]);
    const found = entries.filter(
      ({ slug, tags }) =>
        !taken.has(slug) && isNamed(slug) && (rule.tags === undefined || rule.tags.some((tag) => tags.includes(tag))),
    );
    for (const { slug } of found) taken.add(slug);
    return found.map((entry) => ({ rule, entry }));
  });
}

/** The server a record describes, over the gateways there are now; those out of service are not in it. */
export function serverFrom(
  { id, slug, members: rules, clientAuth }: ServerDraft,
  entries: readonly GatewayEntry[],
): VirtualServer {
  const members = selectedBy(rules, entries)
    .filter(({ entry }) => entry.enabled)
    .map((selected) => memberOf(selected, namesOneGateway(rules)));
  const [only, ...others] = members;
  const transparent = only?.prefix === '' && only.exposure === undefined && others.length === 0;
  const passes = transparent && namesOneGateway(rules);
  return serverOf({ key: id, address: slug, members, transparent: passes, clientAuth });
}

function memberOf({ rule, entry }: Selected, isAlone: boolean): Member {
  const exposure = exposureOf(rule);
  return {
    upstream: entry.upstream,
    prefix: rule.prefix ?? (isAlone ? '' : entry.prefix),
    ...(exposure && { exposure }),
  };
}

/** Not whether one is there at the moment: names must not change when another one is registered. */
function namesOneGateway(rules: readonly MemberRule[]): boolean {
  const [only, ...others] = rules;
  return only !== undefined && others.length === 0 && !isPattern(only.gateway);
}
