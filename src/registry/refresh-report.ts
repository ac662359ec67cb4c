import type { Listing } from '../upstream/facts.ts';

type Items = readonly Readonly<Record<string, unknown>>[];

/** What a refresh changed, in the fields ContextForge has for it. Resource templates count as resources. */
export interface RefreshReport {
  readonly gatewayId: string;
  readonly success: true;
  readonly error: null;
  readonly toolsAdded: number;
  readonly toolsUpdated: number;
  readonly toolsRemoved: number;
  readonly resourcesAdded: number;
  readonly resourcesUpdated: number;
  readonly resourcesRemoved: number;
  readonly promptsAdded: number;
  readonly promptsUpdated: number;
  readonly promptsRemoved: number;
  readonly validationErrors: readonly string[];
  readonly durationMs: number;
  /** ISO 8601. */
  readonly refreshedAt: string;
}

/** Compares two listings; everything is new when there was none. */
export function refreshReport(
  before: Listing | undefined,
  after: Listing,
  { gatewayId, durationMs, refreshedAt }: Pick<RefreshReport, 'gatewayId' | 'durationMs' | 'refreshedAt'>,
): RefreshReport {
  const tools = compare(before?.tools ?? [], after.tools, 'name');
  const prompts = compare(before?.prompts ?? [], after.prompts, 'name');
  const plain = compare(before?.resources ?? [], after.resources, 'uri');
  const templates = compare(before?.resourceTemplates ?? [], after.resourceTemplates, 'uriTemplate');
  return {
    gatewayId,
    success: true,
    error: null,
    toolsAdded: tools.added,
    toolsUpdated: tools.updated,
    toolsRemoved: tools.removed,
    resourcesAdded: plain.added + templates.added,
    resourcesUpdated: plain.updated + templates.updated,
    resourcesRemoved: plain.removed + templates.removed,
    promptsAdded: prompts.added,
    promptsUpdated: prompts.updated,
    promptsRemoved: prompts.removed,
    validationErrors: [],
    durationMs,
    refreshedAt,
  };
}

function compare(before: Items, after: Items, key: string): { added: number; updated: number; removed: number } {
  const known = new Map(before.map((item) => [item[key], JSON.stringify(item)]));
  const names = new Set(after.map((item) => item[key]));
  const changed = after.filter((item) => known.get(item[key]) !== JSON.stringify(item));
  const added = changed.filter((item) => !known.has(item[key])).length;
  return {
    added,
    updated: changed.length - added,
    removed: [...known.keys()].filter((name) => !names.has(name)).length,
  };
}
