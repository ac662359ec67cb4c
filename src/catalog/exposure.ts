import { matcherOf } from '../base/patterns.ts';
import type { MemberRule } from './server-record.ts';

/** What rules are about; templates go by the rules of resources. */
export type ItemKind = 'tools' | 'prompts' | 'resources';

/** What of a member is shown, and under which names; an absent one shows everything under its own name. */
export interface Exposure {
  /** Whether a tool or prompt of this name, or a resource of this URI or template, is shown under its own name. */
  shows(kind: ItemKind, nameOrUri: string): boolean;
  /** The member's tools that have a name of their own here, by that name; they are shown under it only. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Names that would be those of tools that are not shown; they lead nowhere. */
  readonly withheld: ReadonlySet<string>;
}

/** What a rule shows; undefined when that is everything. What is denied has no alias either. */
export function exposureOf(rule: MemberRule): Exposure | undefined {
  const { tools, prompts, resources, denyTools = [], denyPrompts = [], denyResources = [], aliases = {} } = rule;
  const wanted = { tools, prompts, resources };
  const denied = { tools: denyTools, prompts: denyPrompts, resources: denyResources };
  const isOpen = Object.values(wanted).every((list) => list === undefined);
  if (isOpen && Object.values(denied).flat().length + Object.keys(aliases).length === 0) return undefined;

  const matchers = (lists: typeof denied) => ({
    tools: matcherOf(lists.tools),
    prompts: matcherOf(lists.prompts),
    resources: matcherOf(lists.resources),
  });
  const everything = ['*'];
  const isWanted = matchers({
    tools: tools ?? everything,
    prompts: prompts ?? everything,
    resources: resources ?? everything,
  });
  const isDenied = matchers(denied);
  const renamed = new Set(Object.values(aliases));
  const withheld = Object.entries(aliases).filter(([, tool]) => isDenied.tools(tool));
  return {
    shows: (kind, nameOrUri) =>
      isWanted[kind](nameOrUri) && !isDenied[kind](nameOrUri) && !(kind === 'tools' && renamed.has(nameOrUri)),
    aliases: new Map(Object.entries(aliases).filter(([, tool]) => !isDenied.tools(tool))),
    withheld: new Set(withheld.map(([alias]) => alias)),
  };
}
