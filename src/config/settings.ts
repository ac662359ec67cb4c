/**
 * config: the settings, one row each, and the forms their values take.
 *
 * Owns names, defaults and help. Must not know where a value came from, nor what the gateway does with it.
 */
import type { Level } from '../base/events.ts';
import type { Secret } from '../base/secret.ts';
import type { HmacAlgorithm } from '../identity/token.ts';
import { commands, integer, list, oneOf, proxies, secret, storageUrl, text, truth, userHeader } from './values.ts';
import type { ValueParser } from './values.ts';

/** One setting: its names, how its value is read, and a line of help. */
export interface Setting<T> {
  readonly env: string;
  /** A second environment name, used when the first is unset. */
  readonly alias?: string;
  /** Without the dashes; absent where a value must not show in a process list. */
  readonly flag?: string;
  /** False where postern.yaml cannot give it. */
  readonly inFile?: false;
  /** What stands for the value in help. */
  readonly placeholder: string;
  readonly repeatable?: true;
  /** What is printed instead of a value that holds a secret. */
  readonly masked?: (value: T) => string;
  readonly parse: ValueParser<T>;
  readonly fallback: T;
  readonly help: string;
}

const setting = <T>(row: Setting<T>): Setting<T> => row;
const optional = <T>(row: Omit<Setting<T | undefined>, 'fallback'>): Setting<T | undefined> => ({
  ...row,
  fallback: undefined,
});

/** Whether callers are asked for a certificate, and whether they must show one. */
export type ClientAuth = 'none' | 'optional' | 'required';

const LEVELS: Readonly<Record<string, Level>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
};
/** From the colon before a password in a URL to the last `@`: a password may hold one, though it should be encoded. */
const PASSWORD = /(?<=^[a-z]+:\/\/[^:/@]*):.*@/;
/** The value of a query parameter for a password; PostgreSQL knows `password` and `sslpassword`. */
const PASSWORD_PARAMETER = /(?<=[?&][^=&#]*password=)[^&#]+/gi;

/** Every setting of this version; the order is the order of help. */
export const SETTINGS = {
  host: setting({
    env: 'HOST',
    flag: 'host',
    placeholder: 'HOST',
    parse: text,
    fallback: '127.0.0.1',
    help: 'address to listen on',
  }),
  port: setting({
    env: 'PORT',
    flag: 'port',
    placeholder: 'PORT',
    parse: integer(0, 65_535),
    fallback: 4444,
    help: 'port to listen on; 0 picks one',
  }),
  dataDir: setting({
    env: 'POSTERN_DATA_DIR',
    flag: 'data-dir',
    placeholder: 'DIR',
    parse: text,
    fallback: './data',
    help: 'where the embedded store, generated keys and postern.pid live',
  }),
  storage: optional<Secret>({
    env: 'POSTERN_STORAGE',
    alias: 'DATABASE_URL',
    flag: 'storage',
    placeholder: 'URL',
    masked: (url) => url?.reveal().replace(PASSWORD, ':*****@').replaceAll(PASSWORD_PARAMETER, '*****') ?? '',
    parse: storageUrl,
    help: 'sqlite:FILE (default: postern.db in the data directory), redis://…, postgres://… or memory:; deno-kv: on Deno, d1:BINDING and cf-kv:BINDING on Workers',
  }),
  configFile: optional<string>({
    env: 'POSTERN_CONFIG',
    flag: 'config',
    inFile: false,
    placeholder: 'FILE',
    parse: text,
    help: 'settings file (default: postern.yaml where it exists)',
  }),
  certFile: optional<string>({
    env: 'CERT_FILE',
    flag: 'tls-cert',
    placeholder: 'FILE',
    parse: text,
    help: 'certificate chain of the listener (PEM, leaf first); turns TLS on',
  }),
  keyFile: optional<string>({
    env: 'KEY_FILE',
    flag: 'tls-key',
    placeholder: 'FILE',
    parse: text,
    help: 'private key of the listener (PEM); default: the certificate file holds both',
  }),
  keyFilePassword: optional<Secret>({
    env: 'KEY_FILE_PASSWORD',
    inFile: false,
    placeholder: 'TEXT',
    masked: () => '*****',
    parse: secret,
    help: "passphrase of the listener's private key; by environment only",
  }),
  keyPasswordFile: optional<string>({
    env: 'POSTERN_TLS_KEY_PASSWORD_FILE',
    flag: 'tls-key-password-file',
    placeholder: 'FILE',
    parse: text,
    help: 'file that holds the passphrase',
  }),
  tlsMinVersion: setting<'TLSv1.2' | 'TLSv1.3'>({
    env: 'POSTERN_TLS_MIN_VERSION',
    flag: 'tls-min-version',
    placeholder: '1.2|1.3',
    parse: oneOf<'TLSv1.2' | 'TLSv1.3'>({
      '1.2': 'TLSv1.2',
      '1.3': 'TLSv1.3',
      'TLSv1.2': 'TLSv1.2',
      'TLSv1.3': 'TLSv1.3',
    }),
    fallback: 'TLSv1.2',
    help: 'oldest TLS version the listener speaks',
  }),
  clientCa: optional<string>({
    env: 'CA_CERTS',
    flag: 'client-ca',
    placeholder: 'FILE',
    parse: text,
    help: 'authorities whose certificates callers may show (PEM); an intermediate vouches for its own only',
  }),
  clientAuth: setting<ClientAuth>({
    env: 'CERT_REQS',
    flag: 'client-auth',
    placeholder: 'none|optional|required',
    parse: oneOf<ClientAuth>({
      none: 'none',
      optional: 'optional',
      required: 'required',
      0: 'none',
      1: 'optional',
      2: 'required',
    }),
    fallback: 'none',
    help: 'whether callers are asked for a certificate (0, 1 or 2 mean the same); a verified one is a credential of role user',
  }),
  clientCrl: optional<string>({
    env: 'POSTERN_CLIENT_CRL',
    flag: 'client-crl',
    placeholder: 'FILE',
    parse: text,
    help: "revocation lists for callers' certificates (PEM), a current one of each authority",
  }),
  healthPort: optional<number>({
    env: 'POSTERN_HEALTH_PORT',
    flag: 'health-port',
    placeholder: 'PORT',
    parse: integer(0, 65_535),
    help: 'a second, plain listener on loopback with /health and /ready only (default with client-auth required: PORT + 1000)',
  }),
  certDirs: setting<readonly string[]>({
    env: 'POSTERN_CERT_DIRS',
    flag: 'cert-dir',
    placeholder: 'DIR',
    repeatable: true,
    parse: list,
    fallback: [],
    help: 'folders the API may name certificate files in (default: none)',
  }),
  stdioCommands: setting<readonly string[]>({
    env: 'POSTERN_STDIO_COMMANDS',
    flag: 'stdio-command',
    placeholder: 'COMMANDS',
    repeatable: true,
    parse: commands,
    fallback: [],
    help: 'programs an admin may have started as stdio upstreams: absolute paths, or names looked up in PATH (default: none)',
  }),
  stdioMaxProcesses: setting({
    env: 'POSTERN_STDIO_MAX_PROCESSES',
    placeholder: 'COUNT',
    parse: integer(1, 1000),
    fallback: 8,
    help: 'processes one stdio upstream may have for sessions of callers; those shared by all do not count',
  }),
  allowedHosts: setting<readonly string[]>({
    env: 'POSTERN_ALLOWED_HOSTS',
    placeholder: 'NAMES',
    parse: list,
    fallback: [],
    help: 'further names callers may address the gateway by',
  }),
  logLevel: setting<Level>({
    env: 'LOG_LEVEL',
    flag: 'log-level',
    placeholder: 'LEVEL',
    parse: oneOf(LEVELS),
    fallback: 'info',
    help: 'debug, info, warn or error',
  }),
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
  vaultKeys: optional<Secret>({
    env: 'POSTERN_VAULT_KEYS',
    placeholder: 'KID:BASE64,…',
    masked: () => '*****',
    parse: secret,
    help: 'keys secrets are sealed with, the first is primary (default: generated into the data directory)',
  }),
  allowInsecureTls: setting({
    env: 'POSTERN_ALLOW_INSECURE_TLS',
    placeholder: 'BOOLEAN',
    parse: truth,
    fallback: false,
    help: 'allow upstreams with certificate or host name checks switched off',
  }),
  contextCacheMaxSize: setting({
    env: 'SSL_CONTEXT_CACHE_MAX_SIZE',
    placeholder: 'COUNT',
    parse: integer(1, 100_000),
    fallback: 100,
    help: 'idle TLS contexts kept; those of live upstreams do not count',
  }),
  contextCacheTtlSeconds: optional<number>({
    env: 'SSL_CONTEXT_CACHE_TTL',
    placeholder: 'SECONDS',
    parse: integer(1, 31_536_000),
    help: 'seconds an idle TLS context is kept (default: no limit)',
  }),
  healthIntervalSeconds: setting({
    env: 'POSTERN_HEALTH_INTERVAL',
    placeholder: 'SECONDS',
    parse: integer(1, 86_400),
    fallback: 60,
    help: 'seconds between two health checks of an upstream',
  }),
  pollIntervalSeconds: setting({
    env: 'POSTERN_POLL_INTERVAL',
    placeholder: 'SECONDS',
    parse: integer(1, 3_600),
    fallback: 5,
    help: 'seconds between two looks for changes in the store, where it does not tell of them',
  }),
  connectTimeoutSeconds: setting({
    env: 'POSTERN_CONNECT_TIMEOUT',
    placeholder: 'SECONDS',
    parse: integer(1, 300),
    fallback: 10,
    help: 'seconds to a connection with an upstream, handshake included',
  }),
  drainTimeoutSeconds: setting({
    env: 'POSTERN_DRAIN_TIMEOUT',
    placeholder: 'SECONDS',
    parse: integer(0, 3600),
    fallback: 30,
    help: 'seconds calls in flight may take to finish when the gateway stops',
  }),
  rotationDrainTimeoutSeconds: setting({
    env: 'POSTERN_ROTATION_DRAIN_TIMEOUT',
    placeholder: 'SECONDS',
    parse: integer(0, 86_400),
    fallback: 300,
    help: 'seconds calls and streams may take to end when their upstream is replaced or removed',
  }),
};

/** The name of a setting in code. */
export type SettingName = keyof typeof SETTINGS;

/** The settings as pairs of name and row, for those who treat all alike. */
export const SETTING_ROWS = Object.entries(SETTINGS) as unknown as readonly (readonly [
  SettingName,
  Setting<unknown>,
])[];

/** The value of every setting. */
export type SettingValues = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer T> ? T : never;
};

/** Variables the command line reads for itself: they are known, but configure no gateway. */
export const CLIENT_VARIABLES = ['POSTERN_URL', 'POSTERN_TOKEN', 'POSTERN_CLIENT_KEY_PASSWORD'] as const;

/** The key of a setting in postern.yaml: its environment name in lower case without the prefix. */
export function fileKeyOf({ env, inFile }: Pick<Setting<unknown>, 'env' | 'inFile'>): string | undefined {
  return inFile === false ? undefined : env.replace(/^POSTERN_/, '').toLowerCase();
}
