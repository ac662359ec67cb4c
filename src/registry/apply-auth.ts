import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Sealed } from '../vault/vault.ts';
import { snakeOf } from './field-schema.ts';
import type { GatewayPatch } from './gateway-fields.ts';
import type { GatewayAuth } from './gateway-record.ts';
import { kept, keptSecret } from './kept.ts';

type AnySecret = Secret | Sealed;
type Auth = GatewayAuth<AnySecret>;
type AuthType = Auth['type'];

/** Which fields each way of logging in has. */
const FIELDS = {
  none: [],
  basic: ['authUsername', 'authPassword'],
  bearer: ['authToken'],
  authheaders: ['authHeaders', 'authHeaderKey', 'authHeaderValue'],
  query_param: ['authQueryParamKey', 'authQueryParamValue'],
} as const satisfies Readonly<Record<AuthType, readonly (keyof GatewayPatch)[]>>;

const same = <Value>(value: Value): Value => value;

/**
 * How a gateway logs in after a change. Another type forgets what the type before had.
 *
 * @throws GatewayError config_invalid for fields that are missing or belong to another type, request_invalid
 */
export function applyAuth(stored: Auth, patch: GatewayPatch): Auth {
  const type = typeAfter(stored, patch);
  refuseForeign(type, patch);
  switch (type) {
    case 'none':
      return { type };
    case 'basic': {
      const before = stored.type === type ? stored : undefined;
      const username = kept(patch.authUsername, before?.username, same);
      const password = keptSecret('authPassword', patch.authPassword, before?.password, same<AnySecret>);
      if (username === undefined || password === undefined) throw incomplete(type);
      return { type, username, password };
    }
    case 'bearer': {
      const before = stored.type === type ? stored : undefined;
      const token = keptSecret('authToken', patch.authToken, before?.token, same<AnySecret>);
      if (token === undefined) throw incomplete(type);
      return { type, token };
    }
    case 'authheaders': {
      const headers = applyHeaders(stored.type === type ? stored.headers : {}, patch);
      if (Object.keys(headers).length === 0) throw incomplete(type);
      return { type, headers };
    }
    case 'query_param': {
      const before = stored.type === type ? stored : undefined;
      const key = kept(patch.authQueryParamKey, before?.key, same);
      const value = keptSecret('authQueryParamValue', patch.authQueryParamValue, before?.value, same<AnySecret>);
      if (key === undefined || value === undefined) throw incomplete(type);
      return { type, key, value };
    }
  }
}

function typeAfter(stored: Auth, { authType }: GatewayPatch): AuthType {
  if (authType === undefined) return stored.type;
  // oauth and one_time_auth were refused when the input was read
  return (authType ?? 'none') as AuthType;
}

function refuseForeign(type: AuthType, patch: GatewayPatch): void {
  for (const [owner, fields] of Object.entries(FIELDS)) {
    const field = owner === type ? undefined : fields.find((name) => patch[name] !== undefined && patch[name] !== null);
    if (field !== undefined)
      throw new GatewayError(
        'config_invalid',
        `${snakeOf(field)} belongs to auth_type ${owner}, met auth_type ${type}`,
        {
          hint: `send auth_type ${owner} with it, or leave it out`,
          details: { field },
        },
      );
  }
}

type Headers = Readonly<Record<string, AnySecret>>;

function applyHeaders(stored: Headers, patch: GatewayPatch): Headers {
  const { authHeaders, authHeaderKey, authHeaderValue } = patch;
  const single = authHeaderKey !== undefined || authHeaderValue !== undefined;
  if (authHeaders !== undefined && authHeaders !== null && single)
    throw new GatewayError(
      'config_invalid',
      'expected auth_headers, or auth_header_key with auth_header_value, not both',
    );
  if (authHeaders === null) return {};
  if (authHeaders !== undefined) return headersOf(stored, authHeaders);
  if (!single) return stored;
  const storedKeys = Object.keys(stored);
  const key = kept(authHeaderKey, storedKeys.length === 1 ? storedKeys[0] : undefined, same);
  if (key === undefined || authHeaderValue === null) return {};
  return headersOf(stored, [{ key, value: authHeaderValue ?? '*****' }]);
}

function headersOf(stored: Headers, given: NonNullable<GatewayPatch['authHeaders']>): Headers {
  const headers: Record<string, AnySecret> = {};
  for (const { key, value } of given) {
    if (typeof key !== 'string') continue;
    const known = sameName(stored, key);
    const secret = keptSecret(
      `authHeaders.${key}`,
      value,
      known === undefined ? undefined : stored[known],
      same<AnySecret>,
    );
    if (sameName(headers, key) !== undefined)
      throw new GatewayError('config_invalid', `the header ${key} is given twice in auth_headers`);
    // a sealed value opens only under the spelling it was sealed for
    if (secret !== undefined) headers[known !== undefined && secret === stored[known] ? known : key] = secret;
  }
  return headers;
}

const sameName = (headers: Headers, key: string): string | undefined =>
  Object.keys(headers).find((name) => name.toLowerCase() === key.toLowerCase());

const incomplete = (type: Exclude<AuthType, 'none'>): GatewayError =>
  new GatewayError(
    'config_invalid',
    `auth_type ${type} needs ${FIELDS[type].map(snakeOf).join(type === 'authheaders' ? ' or ' : ' and ')}`,
    {
      details: { authType: type },
    },
  );
