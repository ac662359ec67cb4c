import { GatewayError } from '../base/errors.ts';
import { slugOf } from '../base/ids.ts';
import { isPattern } from '../base/patterns.ts';
import type { PatchOf } from '../registry/field-schema.ts';
import { kept } from '../registry/kept.ts';
import { labelsAfter } from '../registry/labels.ts';
import { associate } from './associate.ts';
import type { ItemKind } from './exposure.ts';
import type { MEMBER_FIELDS, ServerPatch } from './server-fields.ts';
import type { ServerCreate } from './server-input.ts';
import type { MemberRule, ServerDraft } from './server-record.ts';
import type { VirtualServer } from './virtual-server.ts';

/** What a virtual server is made over. */
export interface Surroundings {
  /** Every gateway there is, also those out of service. */
  readonly gateways: readonly { readonly id: string; readonly slug: string }[];
  /** What /mcp publishes. */
  readonly everything: VirtualServer;
}

/** A virtual server as it is first described. @throws GatewayError config_invalid */
export function draftOf(id: string, input: ServerCreate, around: Surroundings): ServerDraft {
  const { name } = input;
  return applyPatch({ id, slug: slugOf(name), name, enabled: true, members: [], labels: {} }, input, around);
}

/** A virtual server after a change: absent keeps, null clears. @throws GatewayError config_invalid for a gateway or item nobody has */
export function applyPatch(stored: ServerDraft, patch: ServerPatch, around: Surroundings): ServerDraft {
  return {
    ...stored,
    name: (patch.name ?? stored.name).trim(),
    description: kept(patch.description, stored.description, (text) => text),
    enabled: kept(patch.enabled, stored.enabled, (enabled) => enabled) ?? true,
    clientAuth: kept(patch.clientAuth, stored.clientAuth, (mode) => mode),
    members: membersAfter(stored.members, patch, around),
    labels: { ...labelsAfter(stored.labels, patch), icon: kept(patch.icon, stored.labels.icon, (icon) => icon) },
  };
}

const ASSOCIATED: readonly (readonly [ItemKind, 'associatedTools' | 'associatedPrompts' | 'associatedResources'])[] = [
  ['tools', 'associatedTools'],
  ['prompts', 'associatedPrompts'],
  ['resources', 'associatedResources'],
];

function membersAfter(
  stored: readonly MemberRule[],
  patch: ServerPatch,
  { gateways, everything }: Surroundings,
): readonly MemberRule[] {
  const slugs = new Map(gateways.flatMap(({ id, slug }) => [[id, slug] as const, [slug, slug] as const]));
  // a gateway that went away may come back, so a server that names it can still be changed
  for (const { gateway } of stored) slugs.set(gateway, gateway);
  let members = kept(patch.members, stored, (rules) => rules.map((rule) => ruleOf(rule, slugs))) ?? [];
  refuseTwice(members);
  for (const [kind, field] of ASSOCIATED) {
    const given = patch[field];
    if (given !== undefined) members = associate(members, kind, given ?? [], everything);
  }
  return members;
}

/** A rule as it is stored: gateways by slug, which a gateway that is registered again has again. */
function ruleOf(given: PatchOf<typeof MEMBER_FIELDS>, slugs: ReadonlyMap<string, string>): MemberRule {
  const said = Object.entries(given).filter(([, value]) => value !== null && value !== undefined);
  // every field was read by its schema, and gateway is required by it
  const rule = Object.fromEntries(said) as unknown as MemberRule;
  if (isPattern(rule.gateway)) return rule;
  const slug = slugs.get(rule.gateway);
  if (slug === undefined)
    throw new GatewayError('config_invalid', `no gateway has the id or slug ${rule.gateway}`, {
      hint: 'GET /v1/gateways?include_inactive=true lists them',
      details: { gateway: rule.gateway },
    });
  return { ...rule, gateway: slug };
}

function refuseTwice(rules: readonly MemberRule[]): void {
  const named = rules.filter(({ gateway, tags }) => tags === undefined && !isPattern(gateway));
  const twice = named.find(({ gateway }, index) => named.findIndex((rule) => rule.gateway === gateway) !== index);
  if (twice !== undefined)
    throw new GatewayError('config_invalid', `the gateway ${twice.gateway} is a member twice`, {
      hint: 'say everything about it in one entry: the second would never be reached',
      details: { gateway: twice.gateway },
    });
}
