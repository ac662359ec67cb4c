import type { Secret } from '../../base/secret.ts';
import type { HmacAlgorithm } from '../../identity/token.ts';
import { optional, setting } from '../setting.ts';
import { oneOf, proxies, secret, text, truth, userHeader } from '../values.ts';

/** Who calls, and what vouches for it. */
export const CALLER_SETTINGS = {
  authRequired: setting({
    env: 'AUTH_REQUIRED',
    placeholder: 'BOOLEAN',
    parse: truth,
    fallback: true,
    help: 'false makes every caller an admin; loopback only',
  }),
  clientAuthEnabled: setting({
    env: 'MCP_CLIENT_AUTH_ENABLED',
    placeholder: 'BOOLEAN',
    parse: truth,
    fallback: true,
    help: 'whether tokens are taken for MCP; administration and metrics take them anyway',
  }),
  trustProxyAuth: setting({
    env: 'TRUST_PROXY_AUTH',
    placeholder: 'BOOLEAN',
    parse: truth,
    fallback: false,
    help: 'whether the proxies of POSTERN_TRUSTED_PROXIES are believed who calls; a caller they name has role user',
  }),
  proxyUserHeader: setting({
    env: 'PROXY_USER_HEADER',
    placeholder: 'NAME',
    parse: userHeader,
    fallback: 'X-Authenticated-User',
    help: 'header in which they name the caller; X-SSL-Client-…, X-Forwarded-Client-Cert and Client-Cert follow rules of their own',
  }),
  trustedProxies: optional<readonly string[]>({
    env: 'POSTERN_TRUSTED_PROXIES',
    placeholder: 'NETWORKS',
    parse: proxies,
    help: 'networks and addresses of proxies, and cert:SUBJECT for those that show a certificate (default with TRUST_PROXY_AUTH: loopback)',
  }),
  jwtSecretKey: optional<Secret>({
    env: 'JWT_SECRET_KEY',
    placeholder: 'TEXT',
    masked: () => '*****',
    parse: secret,
    help: 'key tokens are signed with (default: generated into the data directory)',
  }),
  jwtAlgorithm: setting<HmacAlgorithm>({
    env: 'JWT_ALGORITHM',
    placeholder: 'NAME',
    parse: oneOf<HmacAlgorithm>({ HS256: 'HS256', HS384: 'HS384', HS512: 'HS512' }),
    fallback: 'HS256',
    help: 'the one algorithm tokens may be signed with: HS256, HS384 or HS512',
  }),
  jwtAudience: setting({
    env: 'JWT_AUDIENCE',
    placeholder: 'TEXT',
    parse: text,
    fallback: 'postern',
    help: 'audience a token must name',
  }),
  jwtIssuer: setting({
    env: 'JWT_ISSUER',
    placeholder: 'TEXT',
    parse: text,
    fallback: 'postern',
    help: 'issuer a token must name',
  }),
};
