import type { Member } from '../../src/catalog/virtual-server.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';

type Items = readonly Readonly<Record<string, unknown>>[];

export interface MemberOptions {
  readonly id?: string;
  readonly prefix?: string;
  readonly tools?: Items;
  readonly resources?: Items;
  readonly resourceTemplates?: Items;
}

/** A member whose upstream is only as real as routing needs: what it listed. */
export function memberOf({
  id = 'up',
  prefix = '',
  tools = [],
  resources = [],
  resourceTemplates = [],
}: MemberOptions): Member {
  const listing = { tools, prompts: [], resources, resourceTemplates };
  const capabilities = resources.length + resourceTemplates.length > 0 ? { resources: {} } : {};
  const facts = { listing, legacy: { protocolVersion: '2025-11-25', capabilities, serverInfo: {} } };
  // routing reads the configuration's id and the facts, nothing else
  return { prefix, upstream: { config: { id }, facts } as unknown as Upstream };
}
