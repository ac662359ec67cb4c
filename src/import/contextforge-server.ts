import type { Fields } from '../base/fields.ts';
import { slugOf } from '../base/ids.ts';
import { copied, isEnabled, labelsOf } from './contextforge-fields.ts';
import { noFindings } from './imported-entry.ts';
import type { ImportedMember, ImportedServer } from './imported-entry.ts';
import { memberOf, textOf } from './members.ts';

/** A virtual server of ContextForge. Of its tools the file has the names ContextForge made up, or their ids. */
export function serverEntry(server: Fields, gatewaySlugs: readonly string[]): ImportedServer {
  const findings = noFindings();
  const { changes } = findings;
  const source = textOf(server, 'name') ?? '';
  const names = ['toolIds', 'associatedTools'].map((name) => memberOf(server, name)).find(Array.isArray) ?? [];
  const tools = (names as readonly unknown[]).filter((name) => typeof name === 'string');
  const members = membersOf(tools, gatewaySlugs);
  const known = members.flatMap(({ toolSlugs = [] }) => toolSlugs).length;
  if (known < tools.length)
    changes.push(
      `${tools.length - known} of its ${tools.length} tools are left out: they are no tools of a gateway in the file`,
    );
  for (const [name, what] of [
    ['associatedResources', 'resources'],
    ['associatedPrompts', 'prompts'],
  ] as const)
    if (listLength(memberOf(server, name)) > 0) changes.push(`its ${what} are left out: the file has their ids only`);
  if (members.length === 0)
    findings.problems.push({
      kind: 'invalid',
      name: 'tools',
      message: 'none of its tools belongs to a gateway in the file',
    });
  const id = idOf(server);
  const body = {
    ...(id !== undefined && { id }),
    ...copied(server, ['description', 'icon', 'teamId', 'ownerEmail']),
    ...labelsOf(server),
    name: source,
  };
  return { kind: 'server', source, body, members, enabled: isEnabled(server), ...findings };
}

/** Clients have it in their addresses; exports hold it there only. */
function idOf(server: Fields): string | undefined {
  const found = textOf(server, 'id') ?? /\/servers\/([^/]+)\/sse$/.exec(textOf(server, 'sseEndpoint') ?? '')?.[1];
  return found !== undefined && /^[0-9A-Za-z_-]{1,64}$/.test(found) ? found : undefined;
}

const listLength = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

/** Its tools are called `{slug of the gateway}-{slug of the tool}`; the longest slug that fits is the gateway's. */
function membersOf(tools: readonly string[], gatewaySlugs: readonly string[]): readonly ImportedMember[] {
  const byGateway = new Map<string, string[]>();
  for (const tool of tools) {
    const slug = slugOf(tool);
    const [gateway] = gatewaySlugs
      .filter((one) => one !== '' && slug.startsWith(`${one}-`))
      .toSorted((a, b) => b.length - a.length);
    if (gateway !== undefined)
      byGateway.set(gateway, [...(byGateway.get(gateway) ?? []), slug.slice(gateway.length + 1)]);
  }
  return [...byGateway].map(([gateway, toolSlugs]) => ({ gateway, rule: {}, toolSlugs }));
}
