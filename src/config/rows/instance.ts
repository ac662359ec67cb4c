import type { Level } from '../../base/events/level.ts';
import type { Secret } from '../../base/secret.ts';
import { optional, setting } from '../setting.ts';
import { integer, list, oneOf, secret, storageUrl, text } from '../values.ts';

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

/** Where an instance listens and keeps things, and what it says. */
export const INSTANCE_SETTINGS = {
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
  healthPort: optional<number>({
    env: 'POSTERN_HEALTH_PORT',
    flag: 'health-port',
    placeholder: 'PORT',
    parse: integer(0, 65_535),
    help: 'a second, plain listener on loopback with /health and /ready only (default with client-auth required: PORT + 1000)',
  }),
  allowedHosts: setting<readonly string[]>({
    env: 'POSTERN_ALLOWED_HOSTS',
    placeholder: 'NAMES',
    parse: list,
    fallback: [],
    help: 'further names callers may address the gateway by',
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
  vaultKeys: optional<Secret>({
    env: 'POSTERN_VAULT_KEYS',
    placeholder: 'KID:BASE64,…',
    masked: () => '*****',
    parse: secret,
    help: 'keys secrets are sealed with, the first is primary (default: generated into the data directory)',
  }),
  configFile: optional<string>({
    env: 'POSTERN_CONFIG',
    flag: 'config',
    inFile: false,
    placeholder: 'FILE',
    parse: text,
    help: 'settings file (default: postern.yaml where it exists)',
  }),
  logLevel: setting<Level>({
    env: 'LOG_LEVEL',
    flag: 'log-level',
    placeholder: 'LEVEL',
    parse: oneOf(LEVELS),
    fallback: 'info',
    help: 'debug, info, warn or error',
  }),
};
