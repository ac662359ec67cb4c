import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { MASK } from '../registry/field-schema.ts';
import { GATEWAY_FIELDS } from '../registry/gateway-fields.ts';

/** The name of the form that `exportOf` writes. */
export const EXPORT_FORMAT = 'postern export';

/** Goes up when what was written can no longer be read as it is. */
export const EXPORT_VERSION = 1;

/** Gateways and virtual servers without their secrets: a file to keep, to compare, or to import elsewhere. */
export interface PosternExport {
  readonly format: typeof EXPORT_FORMAT;
  readonly version: typeof EXPORT_VERSION;
  readonly exportedAt: string;
  readonly gateways: readonly Fields[];
  readonly servers: readonly Fields[];
}

/** What has one value only, or says the same as another field. */
const NEVER = new Set(['authValue', 'gatewayMode', 'oneTimeAuth', 'identityPropagation', 'tlsConfig']);
const DEFAULTS: Fields = {
  transport: 'AUTO',
  protocolEra: 'auto',
  authType: 'none',
  checkHostname: true,
  verify: true,
  minTlsVersion: 'TLSv1.2',
  visibility: 'public',
};
const SERVER_FIELDS = [
  'name',
  'id',
  'slug',
  'description',
  'clientAuth',
  'icon',
  'tags',
  'teamId',
  'ownerEmail',
  'visibility',
];

/**
 * An export of what `GET /v1/gateways` and `GET /v1/servers` answer. Where there is a secret stands `*****`; what has
 * its default is left out.
 */
export function exportOf(gateways: readonly Fields[], servers: readonly Fields[], now: Date): PosternExport {
  return {
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    exportedAt: now.toISOString(),
    gateways: gateways.map(gatewayOf),
    servers: servers.map(serverOf),
  };
}

function serverOf(view: Fields): Fields {
  return { ...chosen(view, SERVER_FIELDS, withoutEmpty), members: rulesOf(view['members']), ...switchedOff(view) };
}

/** The rules of a virtual server without what is not said. An empty prefix or list of tools says something. */
export function rulesOf(members: unknown): readonly Fields[] {
  const isSaid = ([name, value]: [string, unknown]): boolean =>
    value !== null && (!/^deny|^aliases$/.test(name) || withoutEmpty(value) !== undefined);
  return (Array.isArray(members) ? members : [])
    .filter(isFields)
    .map((rule) => Object.fromEntries(Object.entries(rule).filter(isSaid)));
}

function gatewayOf(view: Fields): Fields {
  const names = Object.keys(GATEWAY_FIELDS).filter((name) => !NEVER.has(name));
  const fields = chosen(view, ['name', 'slug', ...names.slice(1)], withoutEmpty);
  // the one way of writing several headers does for one
  const { authHeaderKey, authHeaderValue, ...rest } = fields;
  return {
    ...('authHeaders' in fields
      ? rest
      : { ...rest, ...(authHeaderKey !== undefined && { authHeaderKey, authHeaderValue }) }),
    ...(view['authType'] === 'query_param' && { authQueryParamValue: MASK }),
    // an empty one is no default
    ...(view['prefix'] === '' && { prefix: '' }),
    ...switchedOff(view),
  };
}

const switchedOff = ({ enabled }: Fields): Fields => (enabled === false ? { enabled } : {});

function chosen(view: Fields, names: readonly string[], change: (value: unknown) => unknown): Fields {
  const kept = names.flatMap((name) => {
    const value = change(view[name]);
    return value === undefined || value === DEFAULTS[name] ? [] : [[name, value] as const];
  });
  return Object.fromEntries(kept);
}

/** Without members that say nothing: null, empty texts, lists and objects. */
function withoutEmpty(value: unknown): unknown {
  if (value === null || value === '') return undefined;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => withoutEmpty(item) ?? item);
  const members = Object.entries(value as Fields).flatMap(([name, member]) => {
    const kept = withoutEmpty(member);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return members.length === 0 ? undefined : Object.fromEntries(members);
}
