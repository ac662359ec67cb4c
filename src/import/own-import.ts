import { asFields, isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { GatewayError } from '../base/errors.ts';
import { slugOf } from '../base/ids.ts';
import { MASK, snakeOf } from '../registry/field-schema.ts';
import { GATEWAY_FIELDS } from '../registry/gateway-fields.ts';
import { Hidden } from './hidden.ts';
import { maskUrl } from './http-target.ts';
import { noFindings } from './imported-entry.ts';
import type { Findings, ImportedGateway, ImportedServer, ImportFile } from './imported-entry.ts';
import { fieldProblems } from './field-problems.ts';
import { textOf } from './members.ts';
import { EXPORT_FORMAT, EXPORT_VERSION, rulesOf } from './own-export.ts';

/**
 * What `postern export` wrote, or what `postern gateways list --json` prints. Undefined for anything else.
 *
 * @throws GatewayError import_unreadable for the export of a later version
 */
export function readOwnExport(root: unknown): ImportFile | undefined {
  const { gateways, servers } = partsOf(root) ?? {};
  if (gateways === undefined || servers === undefined) return undefined;
  const entries = [...gateways.filter(isFields).map(gatewayEntry), ...servers.filter(isFields).map(serverEntry)];
  return { format: 'export of Postern', entries, leftOut: [] };
}

interface Parts {
  readonly gateways: readonly unknown[];
  readonly servers: readonly unknown[];
}

function partsOf(root: unknown): Parts | undefined {
  if (Array.isArray(root)) return root.length > 0 && root.every(isView) ? { gateways: root, servers: [] } : undefined;
  const { format, version, gateways = [], servers = [] } = asFields(root) ?? {};
  if (format !== EXPORT_FORMAT || !Array.isArray(gateways) || !Array.isArray(servers)) return undefined;
  if (version !== EXPORT_VERSION)
    throw new GatewayError('import_unreadable', `expected version ${EXPORT_VERSION} of an export, met another one`, {
      hint: 'read it with the version of Postern that wrote it, or a later one',
    });
  return { gateways, servers };
}

/** Ours has fields that ContextForge's has not. */
const isView = (value: unknown): boolean => isFields(value) && 'prefix' in value && 'eras' in value;

/** Taken in another way, or read only. */
const NOT_COPIED = new Set(['name', 'url', 'authValue', 'gatewayMode', 'oneTimeAuth', 'identityPropagation']);

function gatewayEntry(gateway: Fields): ImportedGateway {
  const findings = noFindings();
  const source = textOf(gateway, 'name') ?? '';
  const problems = fieldProblems(chosen(gateway, Object.keys(GATEWAY_FIELDS)));
  // what is of another kind than the fields are cannot even be shown
  if (problems.length > 0)
    return { kind: 'gateway', source, body: { name: source }, enabled: true, problems, changes: [] };
  const names = Object.keys(GATEWAY_FIELDS).filter((name) => !NOT_COPIED.has(name));
  const copied = Object.entries(chosen(gateway, names)).map(
    ([name, value]) => [name, withMissing(value, snakeOf(name), findings)] as const,
  );
  const body = { ...Object.fromEntries(copied), ...urlOf(gateway), name: source };
  const { slug } = gateway;
  if (typeof slug === 'string' && slug !== slugOf(source))
    findings.changes.push(`its slug was ${slug}; a slug is made of the name at registration`);
  return {
    kind: 'gateway',
    source,
    ...(typeof slug === 'string' && { slug }),
    body,
    enabled: gateway['enabled'] !== false,
    ...findings,
  };
}

/** One header may be written in two ways, of which views show both. */
function chosen(gateway: Fields, names: readonly string[]): Fields {
  const isTwice = Array.isArray(gateway['authHeaders']);
  const kept = names.filter((name) => !(isTwice && (name === 'authHeaderKey' || name === 'authHeaderValue')));
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = name === 'authValue' ? null : gateway[name];
      return value === undefined || value === null ? [] : [[name, value] as const];
    }),
  );
}

function urlOf({ url }: Fields): Fields {
  if (typeof url !== 'string') return {};
  const masked = maskUrl(url);
  return { url: masked === url ? url : new Hidden(url, masked) };
}

/** Reports every masked secret by the path it is supplied under. */
function withMissing(value: unknown, path: string, findings: Findings): unknown {
  if (value === MASK) {
    findings.problems.push({ kind: 'secret', name: path, message: `${path} is a secret, which exports do not hold` });
    return new Hidden('');
  }
  if (Array.isArray(value)) return value.map((item) => withMissing(item, pathOfItem(path, item), findings));
  if (!isFields(value)) return value;
  const members = Object.entries(value).map(
    ([name, member]) => [name, withMissing(member, pathOfMember(path, name), findings)] as const,
  );
  return Object.fromEntries(members);
}

/** Headers go by their name. */
const pathOfItem = (path: string, item: unknown): string =>
  isFields(item) && typeof item['key'] === 'string' ? `${path}.${item['key']}` : path;

/** The one member of a header that is secret needs no name; names of an environment stay as they are. */
function pathOfMember(path: string, name: string): string {
  if (path.startsWith('auth_headers.')) return path;
  return `${path}.${path === 'env' ? name : snakeOf(name)}`;
}

const SERVER_FIELDS = ['id', 'description', 'clientAuth', 'icon', 'tags', 'teamId', 'ownerEmail', 'visibility'];

function serverEntry(server: Fields): ImportedServer {
  const { problems, changes } = noFindings();
  const source = textOf(server, 'name') ?? '';
  const copied = SERVER_FIELDS.flatMap((name) => {
    const value = server[name];
    return value === undefined || value === null ? [] : [[name, value] as const];
  });
  const members = rulesOf(server['members']).flatMap(({ gateway, ...rule }) =>
    typeof gateway === 'string' ? [{ gateway, rule }] : [],
  );
  const body = { ...Object.fromEntries(copied), name: source };
  return { kind: 'server', source, body, members, enabled: server['enabled'] !== false, problems, changes };
}
