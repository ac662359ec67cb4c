import { asFields, isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { httpFields } from './http-target.ts';
import { noFindings } from './imported-entry.ts';
import type { ImportedGateway, ImportFile, LeftOut } from './imported-entry.ts';
import { listOf, memberOf, textOf } from './members.ts';
import { fillBraces, inputOf } from './server-json-input.ts';
import type { InputContext } from './server-json-input.ts';
import { packageFields } from './server-json-package.ts';
import type { Filled, Variables } from './variables.ts';

const OFFICIAL = 'io.modelcontextprotocol.registry/official';

/**
 * A registry's `server.json`, one version of it or a list of servers as a registry answers it. Undefined for anything
 * else.
 *
 * @see https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json
 */
export function readServerJson(root: Fields, variables: Variables): ImportFile | undefined {
  if (Array.isArray(root['servers'])) return readList(root, root['servers'] as readonly unknown[], variables);
  const listed = isFields(root['server']) ? root['server'] : root;
  if (!isServer(listed)) return undefined;
  return { format: 'server.json', entries: [serverEntry(listed, root, variables, shortName(listed))], leftOut: [] };
}

const isServer = (server: Fields): boolean =>
  typeof server['name'] === 'string' && (Array.isArray(server['packages']) || Array.isArray(server['remotes']));

function readList(root: Fields, list: readonly unknown[], variables: Variables): ImportFile | undefined {
  const all = list.filter(isFields).map((item) => ({ item, server: asFields(item['server']) ?? item }));
  const servers = all.filter(({ server }) => isServer(server));
  if (servers.length === 0 && list.length > 0) return undefined;
  const latest = new Map<string, (typeof servers)[number]>();
  for (const found of servers) {
    const name = String(found.server['name']);
    const before = latest.get(name);
    if (before === undefined || officialOf(before.item)['isLatest'] !== true) latest.set(name, found);
  }
  const chosen = [...latest.values()];
  const short = chosen.map(({ server }) => shortName(server));
  const entries = chosen.map(({ item, server }, index) => {
    const name = short[index] ?? '';
    const isAlone = short.indexOf(name) === short.lastIndexOf(name);
    return serverEntry(server, item, variables, isAlone ? name : String(server['name']));
  });
  return {
    format: 'list of a registry',
    entries,
    leftOut: leftOutOf(root, list.length, servers.length, chosen.length),
  };
}

function leftOutOf(root: Fields, total: number, servers: number, chosen: number): readonly LeftOut[] {
  const { nextCursor } = asFields(root['metadata']) ?? {};
  const rows: LeftOut[] = [
    { what: 'older versions', count: servers - chosen, because: 'one version of a server is imported' },
    { what: 'other entries', count: total - servers, because: 'they describe no server' },
  ];
  if (typeof nextCursor === 'string' && nextCursor !== '')
    rows.push({ what: 'further pages', count: 1, because: 'the list goes on: import its next page too' });
  return rows.filter(({ count }) => count > 0);
}

const officialOf = (item: Fields): Fields => asFields(asFields(item['_meta'])?.[OFFICIAL]) ?? {};

/** What comes after the namespace: `weather` of `io.github.ann/weather`. */
const shortName = ({ name }: Fields): string =>
  String(name)
    .split('/')
    .findLast((part) => part !== '') ?? String(name);

function serverEntry(server: Fields, item: Fields, variables: Variables, name: string): ImportedGateway {
  const findings = noFindings();
  const source = String(server['name']);
  if (name !== source) findings.changes.push(`named ${name}, without its namespace`);
  const status = officialOf(item)['status'] ?? server['status'];
  if (status === 'deprecated' || status === 'deleted') findings.changes.push(`the registry says that it is ${status}`);
  const context: InputContext = { server: name, variables, findings };
  const description = textOf(server, 'description');
  const body: Fields & { readonly name: string } = {
    ...targetFields(server, context),
    ...(description && { description }),
    name,
  };
  return { kind: 'gateway', source, body, enabled: true, ...findings };
}

/** Remotes go before packages: they run already. */
function targetFields(server: Fields, context: InputContext): Fields {
  const { changes, problems } = context.findings;
  const remotes = listOf(server, 'remotes');
  const packages = listOf(server, 'packages');
  const remote = remotes.find((one) => transportOf(one) === 'streamable-http') ?? remotes[0];
  const unused = remotes.length + packages.length - 1;
  if (unused > 0) changes.push(`one of ${unused + 1} ways to reach it is taken`);
  if (remote !== undefined) return remoteFields(remote, context);
  const [first] = packages;
  if (first !== undefined) return packageFields(packages, context);
  problems.push({ kind: 'invalid', name: 'remotes', message: 'expected remotes or packages, met neither' });
  return {};
}

const transportOf = (remote: Fields): unknown => memberOf(remote, 'type') ?? memberOf(remote, 'transportType');

function remoteFields(remote: Fields, context: InputContext): Fields {
  const type = transportOf(remote);
  const described = asFields(remote['variables']) ?? {};
  const headers = listOf(remote, 'headers').flatMap((header): (readonly [string, Filled])[] => {
    const name = textOf(header, 'name');
    const value = name === undefined ? undefined : inputOf(header, name, context);
    return name === undefined || value === undefined ? [] : [[name, value]];
  });
  const url = fillBraces(textOf(remote, 'url') ?? '', described, context);
  const transport = type === 'sse' ? 'SSE' : type === 'streamable-http' ? 'STREAMABLEHTTP' : undefined;
  return httpFields({ url, headers, transport }, context.findings);
}
