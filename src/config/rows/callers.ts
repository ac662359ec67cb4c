import type { Secret } from '../../base/secret.ts';
import { HMAC_ALGORITHMS, SIGNATURE_ALGORITHMS } from '../../identity/token-algorithms.ts';
import type { TokenAlgorithm } from '../../identity/token-algorithms.ts';
import { isKeyText } from '../../identity/token.ts';
import { optional, setting } from '../setting.ts';
import { issuers, oneOf, origin, proxies, secret, text, truth, userHeader } from '../values.ts';

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
  jwtAlgorithm: setting<TokenAlgorithm>({
    env: 'JWT_ALGORITHM',
    placeholder: 'NAME',
    parse: oneOf<TokenAlgorithm>(
      Object.fromEntries([...HMAC_ALGORITHMS, ...SIGNATURE_ALGORITHMS].map((name) => [name, name])),
    ),
    fallback: 'HS256',
    help: 'what tokens of this gateway are signed with: HS256 to HS512 (JWT_SECRET_KEY), RS…, PS…, ES… or EdDSA (a private key)',
  }),
  jwtPrivateKeyPath: optional<Secret>({
    env: 'JWT_PRIVATE_KEY_PATH',
    placeholder: 'FILE',
    masked: (path) => (path === undefined || isKeyText(path.reveal()) ? '*****' : path.reveal()),
    parse: secret,
    help: 'private keys tokens are signed with (PEM, JWK or JWK Set; the first signs, all verify), or the text itself',
  }),
  jwtPublicKeyPath: optional<string>({
    env: 'JWT_PUBLIC_KEY_PATH',
    placeholder: 'FILE',
    parse: text,
    help: 'further public keys tokens of this gateway may be signed with (PEM, JWK or JWK Set), or the text itself',
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
  trustedIssuers: setting<readonly string[]>({
    env: 'POSTERN_TRUSTED_ISSUERS',
    placeholder: 'URLS',
    parse: issuers,
    fallback: [],
    help: 'other issuers whose tokens are taken, with role user: as they spell themselves; their keys are fetched (default: none)',
  }),
  issuerCa: optional<string>({
    env: 'POSTERN_ISSUER_CA',
    placeholder: 'FILE',
    parse: text,
    help: 'authorities that vouch for the servers of these issuers (PEM), or the text itself (default: the public ones)',
  }),
  publicUrl: optional<string>({
    env: 'POSTERN_PUBLIC_URL',
    placeholder: 'URL',
    parse: origin,
    help: 'where callers reach the gateway, as tokens name it in aud (default: what each request says)',
  }),
  basicAuthUser: optional<string>({
    env: 'BASIC_AUTH_USER',
    placeholder: 'NAME',
    parse: text,
    help: 'name of an admin for the REST API and metrics, never for MCP; goes with BASIC_AUTH_PASSWORD',
  }),
  basicAuthPassword: optional<Secret>({
    env: 'BASIC_AUTH_PASSWORD',
    placeholder: 'TEXT',
    masked: () => '*****',
    parse: secret,
    help: 'password of that admin (default: neither is taken)',
  }),
};
