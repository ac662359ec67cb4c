import { MASK } from './field-schema.ts';
import type { GatewayAuth } from './gateway-record.ts';

const masked = (there: boolean): typeof MASK | null => (there ? MASK : null);

/** How a gateway logs in, as shown: names in the clear, secrets masked. */
export function authView(auth: GatewayAuth<unknown>) {
  const headers = auth.type === 'authheaders' ? Object.keys(auth.headers) : [];
  const [onlyHeader] = headers.length === 1 ? headers : [];
  return {
    authType: auth.type,
    authUsername: auth.type === 'basic' ? auth.username : null,
    authPassword: masked(auth.type === 'basic'),
    authToken: masked(auth.type === 'bearer'),
    authHeaderKey: onlyHeader ?? null,
    authHeaderValue: masked(onlyHeader !== undefined),
    authHeaders: auth.type === 'authheaders' ? headers.map((key) => ({ key, value: MASK })) : null,
    authQueryParamKey: auth.type === 'query_param' ? auth.key : null,
    authQueryParamValueMasked: masked(auth.type === 'query_param'),
    authValue: masked(auth.type !== 'none'),
    authPasswordUnmasked: null,
    authTokenUnmasked: null,
    authHeaderValueUnmasked: null,
    authHeadersUnmasked: null,
  };
}
