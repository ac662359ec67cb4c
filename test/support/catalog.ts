import type { Member } from '../../src/catalog/member.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';

type Items = readonly Readonly<Record<string, unknown>>[];

export interface MemberOptions {
  readonly id?: string;
  readonly prefix?: string;
  readonly tools?: Items;
  readonly prompts?: Items;
  readonly resources?: Items;
  readonly resourceTemplates?: Items;
}

/** A member whose upstream is only as real as routing needs: what it listed. */
export function memberOf({ id = 'up', prefix = '', ...listed }: MemberOptions): Member {
  // routing reads the configuration's id and slug and the facts, nothing else
  return { prefix, upstream: { config: { id, slug: id }, facts: factsOf(listed) } as unknown as Upstream };
}

/** Lets a member of `memberOf` list something else from now on. */
export function relist({ upstream }: Member, listed: Omit<MemberOptions, 'id' | 'prefix'>): void {
  Object.assign(upstream, { facts: factsOf(listed) });
}

function factsOf({ tools = [], prompts = [], resources = [], resourceTemplates = [] }: MemberOptions) {
  const listing = { tools, prompts, resources, resourceTemplates };
  const capabilities = resources.length + resourceTemplates.length > 0 ? { resources: {} } : {};
  return { listing, legacy: { protocolVersion: '2025-11-25', capabilities, serverInfo: {} } };
}
