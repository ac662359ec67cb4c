import { historyView, labelsView, UNKNOWN_HISTORY } from '../registry/record-view.ts';
import type { Registry } from '../registry/registry.ts';
import type { Collision } from './catalogue-part.ts';
import { publishedItems } from './published-items.ts';
import type { MemberRule, ServerRecord } from './server-record.ts';
import type { ServerSnapshot } from './server-snapshot.ts';
import type { SavedServer } from './load-server.ts';
import { unresolvedIn } from './unresolved.ts';
import type { VirtualServer } from './virtual-server.ts';

/**
 * What is shown of a virtual server now. What it publishes, and what is missing, changes without a new version of the
 * record.
 *
 * @see /openapi.json, ServerRead
 */
export function serverView(server: SavedServer, snapshot: ServerSnapshot, registry: Pick<Registry, 'list'>) {
  const { id, record = blank(server.id) } = server;
  const refusal = server.record === undefined ? server.refusal : undefined;
  const made = snapshot.of(record);
  const { labels, history } = record;
  return {
    id,
    name: record.name,
    slug: record.slug,
    description: record.description ?? null,
    enabled: record.enabled,
    clientAuth: record.clientAuth ?? null,
    status: refusal ? 'refused' : 'active',
    lastError: refusal ? `${refusal.code}: ${refusal.message}` : null,
    members: record.members.map(ruleView),
    gateways: made.members.map(({ upstream }) => upstream.config.slug),
    ...itemsView(made),
    unresolved: unresolvedIn(record, registry.list()),
    collisions: (['tools/list', 'prompts/list'] as const).flatMap((method) =>
      made.catalogue.collisions(method).map(collisionView),
    ),
    icon: labels.icon ?? null,
    ...labelsView(labels),
    ...historyView(history),
    ...ABSENT,
  };
}

/** What ContextForge reports and we do not have. */
const ABSENT = { associatedA2aAgents: [], oauthEnabled: false, oauthConfig: null, team: null, metrics: null } as const;

function ruleView(rule: MemberRule) {
  return {
    gateway: rule.gateway,
    tags: rule.tags ?? null,
    prefix: rule.prefix ?? null,
    tools: rule.tools ?? null,
    prompts: rule.prompts ?? null,
    resources: rule.resources ?? null,
    denyTools: rule.denyTools ?? [],
    denyPrompts: rule.denyPrompts ?? [],
    denyResources: rule.denyResources ?? [],
    aliases: rule.aliases ?? {},
  };
}

function itemsView(server: VirtualServer) {
  const [tools, prompts, resources] = (['tools', 'prompts', 'resources'] as const).map((kind) => {
    const items = publishedItems(server, kind);
    return { names: items.map(({ name }) => name), ids: items.map(({ id }) => id) };
  });
  return {
    associatedTools: tools?.names ?? [],
    associatedToolIds: tools?.ids ?? [],
    associatedPrompts: prompts?.names ?? [],
    associatedPromptIds: prompts?.ids ?? [],
    associatedResources: resources?.names ?? [],
    associatedResourceIds: resources?.ids ?? [],
  };
}

const collisionView = ({ name, method, shown, hidden }: Collision) => ({
  name,
  kind: method === 'tools/list' ? 'tool' : 'prompt',
  shown: shown.member.upstream.config.slug,
  hidden: hidden.member.upstream.config.slug,
});

/** A record that cannot be believed is shown by its id, so that it can be found and removed. */
function blank(id: string): ServerRecord {
  return { id, slug: id, name: id, enabled: false, members: [], labels: {}, history: UNKNOWN_HISTORY };
}
