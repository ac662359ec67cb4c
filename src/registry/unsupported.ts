import { GatewayError } from '../base/errors.ts';
import type { Fields } from '../base/fields.ts';

/** One thing of ContextForge we refuse. */
export interface Unsupported {
  readonly field: string;
  readonly asks: (value: unknown) => boolean;
  readonly because: string;
  readonly hint: string;
}

/** Asked for by any value. */
export const anything = (value: unknown): boolean => value !== null && value !== undefined;
const is =
  (unsupported: unknown) =>
  (value: unknown): boolean =>
    value === unsupported;

/** What ContextForge has and we refuse until it works: accepting it silently would promise what nobody does. */
export const UNSUPPORTED: readonly Unsupported[] = [
  {
    field: 'authType',
    asks: is('oauth'),
    because: 'auth_type oauth is not supported yet',
    hint: 'use auth_type bearer with a token you obtained, or a client certificate',
  },
  { field: 'oauthConfig', asks: anything, because: 'oauth_config is not supported yet', hint: 'leave it out' },
  {
    field: 'authType',
    asks: is('one_time_auth'),
    because: 'auth_type one_time_auth is not supported',
    hint: 'store the credential with auth_type bearer or authheaders',
  },
  {
    field: 'oneTimeAuth',
    asks: is(true),
    because: 'one_time_auth is not supported',
    hint: 'store the credential with the gateway',
  },
  {
    field: 'gatewayMode',
    asks: is('direct_proxy'),
    because: 'gateway_mode direct_proxy is not supported',
    hint: 'leave it out: messages of a single gateway pass through untouched at /servers/{slug}/mcp',
  },
  {
    field: 'identityPropagation',
    asks: (value) => anything(value) && (value as { readonly enabled?: unknown }).enabled !== false,
    because: 'identity_propagation is not supported yet',
    hint: 'leave it out, or send {"enabled": false}',
  },
  {
    field: 'caCertificateSig',
    asks: anything,
    because: 'ca_certificate_sig is not checked, so it is not accepted',
    hint: 'leave it out: stored records are authenticated as a whole',
  },
  {
    field: 'authValue',
    asks: anything,
    because: 'auth_value is not accepted: it would be a credential in a form of its own',
    hint: 'send auth_password, auth_token, auth_headers or auth_query_param_value',
  },
];

/** Refuses what we know and do not do. @throws GatewayError feature_unsupported */
export function refuseUnsupported(patch: Fields, unsupported: readonly Unsupported[] = UNSUPPORTED): void {
  for (const { field, asks, because, hint } of unsupported)
    if (asks(patch[field])) throw new GatewayError('feature_unsupported', because, { hint, details: { field } });
}
