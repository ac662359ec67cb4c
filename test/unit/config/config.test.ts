import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { effectiveSettings, parseConfig } from '../../../src/config.ts';
import { isLoopback } from '../../../src/config/check-together.ts';
import { healthPortOf } from '../../../src/config/health-port.ts';
import type { ConfigSources } from '../../../src/config.ts';
import type { ConfigProblem } from '../../../src/config/problem.ts';
import { fileKeyOf } from '../../../src/config/setting.ts';
import { SETTINGS } from '../../../src/config/settings.ts';

function problemsOf(sources: ConfigSources): readonly ConfigProblem[] {
  try {
    parseConfig(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: 'config_invalid' });
    return (error as GatewayError).details?.['problems'] as ConfigProblem[];
  }
  return [];
}

test('flags win over environment, environment over file, file over default', () => {
  const file = { host: '127.0.0.9', port: 1, data_dir: '/from/file' };
  const environment = { HOST: '127.0.0.8', PORT: '2' };
  const { values, origins } = parseConfig({ flags: { host: '127.0.0.7' }, environment, file });
  expect([values.host, values.port, values.dataDir, values.logLevel]).toEqual(['127.0.0.7', 2, '/from/file', 'info']);
  expect([origins.host, origins.port, origins.dataDir, origins.logLevel]).toEqual([
    'flag',
    'environment',
    'file',
    'default',
  ]);
});

test('an empty value counts as unset', () => {
  const sources = {
    flags: { host: '' },
    environment: { HOST: '', PORT: '', POSTERN_UNHEARD_OF: '' },
    file: { port: 7 },
  };
  expect(parseConfig(sources).values).toMatchObject({ host: '127.0.0.1', port: 7 });
});

test('the result cannot be changed', () => {
  const { values } = parseConfig({ environment: { POSTERN_CERT_DIRS: '/a' } });
  expect(Object.isFrozen(values) && Object.isFrozen(values.certDirs)).toBe(true);
});

test('an unknown POSTERN_ variable is an error that names the nearest setting', () => {
  expect(problemsOf({ environment: { POSTERN_DATADIR: '/x', HOME: '/root' } })).toEqual([
    { setting: 'POSTERN_DATADIR', message: 'no such setting; the nearest is POSTERN_DATA_DIR' },
  ]);
});

test('what Kubernetes sets for a service called postern is no setting', () => {
  const links = {
    POSTERN_SERVICE_HOST: '10.0.0.1',
    POSTERN_SERVICE_PORT_HTTP: '4444',
    POSTERN_PORT: 'tcp://10.0.0.1:4444',
    POSTERN_PORT_4444_TCP_ADDR: '10.0.0.1',
    POSTERN_MCP_SERVICE_PORT: '80',
  };
  expect(problemsOf({ environment: links })).toEqual([]);
  expect(problemsOf({ environment: { POSTERN_PORT: '4444' } })).toHaveLength(1);
});

test('an unknown key in the file is an error that names the nearest key', () => {
  expect(problemsOf({ file: { jwt_secret: 'x', log_level: 'info' } })).toEqual([
    { setting: 'jwt_secret', message: 'no such key; the nearest is jwt_secret_key' },
  ]);
  expect(problemsOf({ file: { host: { name: 'x' }, port: null } })).toEqual([
    { setting: 'host', message: 'expected a value or a list of values, met a mapping' },
  ]);
  expect(problemsOf({ file: ['host'] })).toEqual([
    { setting: 'postern.yaml', message: 'expected a mapping of settings' },
  ]);
});

test('every wrong value is reported at once, by the name it was given under', () => {
  const problems = problemsOf({
    flags: { port: '70000' },
    environment: { LOG_LEVEL: 'loud' },
    file: { auth_required: 'maybe' },
  });
  expect(problems).toEqual([
    { setting: '--port', message: 'expected a whole number from 0 to 65535, met "70000"' },
    { setting: 'LOG_LEVEL', message: 'expected one of debug, info, warn, warning, error, met "loud"' },
    { setting: 'auth_required', message: 'expected true or false, met "maybe"' },
  ]);
});

test.each([
  ['LOG_LEVEL', 'WARNING', 'logLevel', 'warn'],
  ['AUTH_REQUIRED', 'No', 'authRequired', false],
  ['JWT_ALGORITHM', 'hs512', 'jwtAlgorithm', 'HS512'],
  ['POSTERN_TLS_MIN_VERSION', '1.3', 'tlsMinVersion', 'TLSv1.3'],
  ['POSTERN_ALLOWED_HOSTS', 'a.example, b.example,', 'allowedHosts', ['a.example', 'b.example']],
] as const)('%s=%s is understood', (env, text, name, value) => {
  expect(parseConfig({ environment: { [env]: text } }).values[name]).toEqual(value);
});

test('a repeated flag and a YAML sequence are lists', () => {
  expect(parseConfig({ flags: { 'cert-dir': ['/a', '/b,/c'] } }).values.certDirs).toEqual(['/a', '/b', '/c']);
  expect(parseConfig({ file: { cert_dirs: ['/a', '/b'] } }).values.certDirs).toEqual(['/a', '/b']);
  expect(problemsOf({ file: { host: ['a', 'b'] } })).toHaveLength(1);
});

test('programs are named by absolute path or bare name, since a relative path would mean another one elsewhere', () => {
  const parse = (value: string) => parseConfig({ environment: { POSTERN_STDIO_COMMANDS: value } }).values.stdioCommands;
  expect(parse('npx, /usr/bin/x,C:\\x.exe')).toEqual(['npx', '/usr/bin/x', 'C:\\x.exe']);
  for (const value of ['./x', 'npx,bin/x', '..', 'a\\b'])
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  expect(parseConfig({}).values.stdioCommands).toEqual([]);
});

test('DATABASE_URL stands in for POSTERN_STORAGE', () => {
  const environment = { DATABASE_URL: 'redis://one' };
  expect(parseConfig({ environment }).values.storage?.reveal()).toBe('redis://one');
  const both = { ...environment, POSTERN_STORAGE: 'sqlite:x.db' };
  expect(parseConfig({ environment: both }).values.storage?.reveal()).toBe('sqlite:x.db');
});

test('every caller an admin is for loopback only', () => {
  for (const host of ['127.0.0.1', 'localhost', '::1', '[::1]', '127.8.8.8'])
    expect(problemsOf({ flags: { host }, environment: { AUTH_REQUIRED: 'false' } })).toEqual([]);
  for (const host of ['0.0.0.0', '::', 'gateway.example', '127.0.0.1.example', '10.0.0.1'])
    expect(problemsOf({ flags: { host }, environment: { AUTH_REQUIRED: 'false' } })).toMatchObject([
      { setting: 'AUTH_REQUIRED' },
    ]);
  expect(isLoopback('127.0.0.1.example')).toBe(false);
});

test('a storage password comes by environment, never by flag', () => {
  const url = 'postgres://user:hunter2@db/postern';
  expect(problemsOf({ environment: { POSTERN_STORAGE: url } })).toEqual([]);
  const problems = problemsOf({ flags: { storage: url } });
  expect(problems).toMatchObject([{ setting: '--storage' }]);
  expect(JSON.stringify(problems)).not.toContain('hunter2');
  expect(problemsOf({ flags: { storage: 'postgres://user@db:5432/postern' } })).toEqual([]);
});

test('a secret of the wrong form is not repeated', () => {
  const problems = problemsOf({ environment: { POSTERN_STORAGE: 'hunter2' } });
  expect(problems).toMatchObject([{ setting: 'POSTERN_STORAGE' }]);
  expect(JSON.stringify(problems)).not.toContain('hunter2');
});

test('a short signing secret is a warning on loopback and refused elsewhere', () => {
  const environment = { JWT_SECRET_KEY: 'my-test-key' };
  expect(parseConfig({ environment }).warnings).toMatchObject([{ setting: 'JWT_SECRET_KEY' }]);
  expect(problemsOf({ environment, flags: { host: '0.0.0.0' } })).toMatchObject([{ setting: 'JWT_SECRET_KEY' }]);
});

test('a key needs its certificate, and a passphrase has one source', () => {
  expect(problemsOf({ flags: { 'tls-key': 'k.pem' } })).toMatchObject([{ setting: 'KEY_FILE' }]);
  const both = {
    environment: { CERT_FILE: 'c', KEY_FILE: 'k', KEY_FILE_PASSWORD: 'x' },
    flags: { 'tls-key-password-file': 'f' },
  };
  expect(problemsOf(both)).toMatchObject([{ setting: 'POSTERN_TLS_KEY_PASSWORD_FILE' }]);
});

const TLS = { CERT_FILE: 'cert.pem', CA_CERTS: 'ca.pem' };

test.each([
  ['required', 'required'],
  ['Optional', 'optional'],
  ['none', 'none'],
  ['2', 'required'],
  ['1', 'optional'],
  ['0', 'none'],
])('callers are asked for certificates: CERT_REQS %s is %s', (written, clientAuth) => {
  expect(parseConfig({ environment: { ...TLS, CERT_REQS: written } }).values).toMatchObject({ clientAuth });
  expect(
    parseConfig({ file: { cert_file: 'c', ca_certs: 'a', cert_reqs: Number(written) || written } }).values,
  ).toMatchObject({ clientAuth });
});

test('asking callers for certificates needs TLS, somebody who vouches for them, and a way to health', () => {
  const problems = (environment: Readonly<Record<string, string>>) => problemsOf({ environment });
  for (const CERT_REQS of ['optional', 'required']) {
    expect(problems({ CERT_REQS, CA_CERTS: 'ca.pem' })).toMatchObject([
      { setting: 'CERT_REQS', message: expect.stringContaining('set CERT_FILE') },
    ]);
    expect(problems({ CERT_REQS, CERT_FILE: 'cert.pem' })).toMatchObject([
      { setting: 'CERT_REQS', message: expect.stringContaining('set CA_CERTS') },
    ]);
    expect(problems({ ...TLS, CERT_REQS, POSTERN_CLIENT_CRL: 'crl.pem' })).toEqual([]);
  }
  expect(problems({ CERT_REQS: '3' })).toMatchObject([{ setting: 'CERT_REQS' }]);
  const high = { ...TLS, PORT: '64536', CERT_REQS: 'required' };
  expect(problems(high)).toMatchObject([{ setting: 'POSTERN_HEALTH_PORT' }]);
  expect(problems({ ...high, POSTERN_HEALTH_PORT: '9' })).toEqual([]);
  expect(problems({ ...high, CERT_REQS: 'optional' })).toEqual([]);
});

test('client CAs nobody is checked against are told', () => {
  const { warnings } = parseConfig({ environment: { ...TLS, POSTERN_CLIENT_CRL: 'crl.pem' } });
  expect(warnings.map(({ setting }) => setting)).toEqual(['CA_CERTS', 'POSTERN_CLIENT_CRL']);
  expect(parseConfig({ environment: { ...TLS, CERT_REQS: '1' } }).warnings).toEqual([]);
});

test('what counts for nothing while nobody shows certificates is told', () => {
  const given = {
    POSTERN_CLIENT_SUBJECT: 'cn',
    POSTERN_CLIENT_CHAIN_DEPTH: '0',
    POSTERN_CLIENT_PINS: 'pins',
    CA_CERTS: 'x',
  };
  const told = (environment: Readonly<Record<string, string>>) =>
    parseConfig({ environment: { ...TLS, ...given, ...environment } }).warnings.map(({ setting }) => setting);
  expect(told({})).toEqual(['CA_CERTS', 'POSTERN_CLIENT_SUBJECT', 'POSTERN_CLIENT_PINS', 'POSTERN_CLIENT_CHAIN_DEPTH']);
  expect(told({ TRUST_PROXY_AUTH: 'true' })).toEqual(['POSTERN_CLIENT_CHAIN_DEPTH']);
  expect(told({ CERT_REQS: 'optional' })).toEqual([]);
});

test.each<[Readonly<Record<string, string>>, string]>([
  [{ POSTERN_CLIENT_SUBJECT: 'ou' }, 'expected rules of uri, dns, email and cn'],
  [{ POSTERN_CLIENT_SUBJECT: 'cn, ' }, ''],
  [{ POSTERN_CLIENT_SUBJECT: ',' }, 'expected rules of uri, dns, email and cn'],
  [{ POSTERN_CLIENT_CHAIN_DEPTH: '-1' }, 'expected a whole number from 0 to 10'],
  [{ POSTERN_CLIENT_PINS: 'one, two' }, 'expected pins such as sha256/BASE64, or one file'],
  [{ POSTERN_TLS_CIPHERS: 'HIGH:!aNULL', ...TLS }, 'expected names of cipher suites'],
  [{ POSTERN_TLS_CIPHERS: 'TLS_AES_256_GCM_SHA384' }, 'cipher suites need TLS; set CERT_FILE'],
  [{ POSTERN_TLS_CIPHERS: 'AES256-SHA', POSTERN_TLS_MIN_VERSION: '1.3', ...TLS }, 'none of them is of TLS 1.3'],
  [{ POSTERN_TLS_CIPHERS: 'AES256-SHA:TLS_AES_256_GCM_SHA384', POSTERN_TLS_MIN_VERSION: '1.3', ...TLS }, ''],
  [{ POSTERN_REQUIRE_TLS: 'true' }, 'true allows no listener in plain text; set CERT_FILE'],
  [{ POSTERN_REQUIRE_TLS: 'true', ...TLS }, ''],
])('%o: %s', (environment, message) => {
  const said = problemsOf({ environment }).map((problem) => problem.message);
  expect(said).toEqual(message === '' ? [] : [expect.stringContaining(message)]);
});

test('health moves to a port of its own where callers must show a certificate', () => {
  const port = (environment: Readonly<Record<string, string>>) =>
    healthPortOf(parseConfig({ environment: { ...TLS, ...environment } }).values);
  expect(port({})).toBeUndefined();
  expect(port({ CERT_REQS: 'optional' })).toBeUndefined();
  expect(port({ CERT_REQS: 'required' })).toBe(5444);
  expect(port({ CERT_REQS: 'required', PORT: '0' })).toBe(0);
  expect(port({ CERT_REQS: 'required', POSTERN_HEALTH_PORT: '0' })).toBe(0);
  expect(port({ POSTERN_HEALTH_PORT: '9' })).toBe(9);
});

test('what is effective can be printed: secrets are masked, the rest is plain', () => {
  const environment = {
    JWT_SECRET_KEY: 'canary-'.repeat(6),
    POSTERN_VAULT_KEYS: 'k:canary',
    KEY_FILE_PASSWORD: 'canary',
    POSTERN_STORAGE: 'redis://:canary@store:6379/0',
  };
  const shown = effectiveSettings(parseConfig({ environment }));
  expect(JSON.stringify(shown)).not.toContain('canary');
  expect(shown).toContainEqual({
    name: 'storage',
    env: 'POSTERN_STORAGE',
    value: 'redis://:*****@store:6379/0',
    origin: 'environment',
  });
  expect(shown).toContainEqual({ name: 'port', env: 'PORT', value: 4444, origin: 'default' });
});

test.each([
  'redis://:canary@store:6379/0',
  'postgres://ann:can@ary@store/db',
  'postgres://store/db?user=ann&password=canary',
  'postgres://store/db?sslpassword=canary&sslmode=require',
])('no password in %s is printed, nor taken from a flag', (url) => {
  const shown = effectiveSettings(parseConfig({ environment: { POSTERN_STORAGE: url } }));
  const storage = shown.find(({ name }) => name === 'storage');
  expect(storage?.value).toMatch(/store.*\*{5}|\*{5}.*store/);
  expect(storage?.value).not.toMatch(/can|ary/);
  expect(problemsOf({ flags: { storage: url } })).toMatchObject([{ setting: '--storage' }]);
});

test('names are unique, secrets have no flag, and there are at most 60 settings', () => {
  const rows = Object.values(SETTINGS);
  for (const names of [
    rows.map(({ env }) => env),
    rows.flatMap(({ flag }) => flag ?? []),
    rows.flatMap((row) => fileKeyOf(row) ?? []),
  ])
    expect(new Set(names).size).toBe(names.length);
  const secretFlags = rows
    .filter(({ masked, flag }) => masked !== undefined && flag !== undefined)
    .map(({ flag }) => flag);
  expect(secretFlags).toEqual(['storage']);
  expect(rows.length).toBeLessThanOrEqual(60);
});

/** What is wrong with settings, else what is worth telling. */
function saidOf(environment: Readonly<Record<string, string>>): string {
  const problems = problemsOf({ environment });
  const said = problems.length > 0 ? problems : parseConfig({ environment }).warnings;
  return said.map(({ setting, message }) => `${setting}: ${message}`).join('\n');
}

test.each([
  [{ JWT_ALGORITHM: 'RS256' }, 'JWT_ALGORITHM: RS256 needs keys'],
  [{ JWT_ALGORITHM: 'none' }, 'JWT_ALGORITHM: expected one of HS256,'],
  [{ JWT_PUBLIC_KEY_PATH: 'a.pem' }, 'JWT_PUBLIC_KEY_PATH: has no effect while JWT_ALGORITHM is HS256'],
  [{ JWT_ALGORITHM: 'es256', JWT_PRIVATE_KEY_PATH: 'k', JWT_SECRET_KEY: 'short' }, 'JWT_SECRET_KEY: has no effect'],
  [{ POSTERN_TRUSTED_ISSUERS: 'http://issuer.example.com' }, 'POSTERN_TRUSTED_ISSUERS: expected https URLs'],
  [{ POSTERN_TRUSTED_ISSUERS: 'https://a.example', JWT_ISSUER: 'https://a.example' }, 'is this gateway itself'],
  [{ POSTERN_ISSUER_CA: 'ca.pem' }, 'POSTERN_ISSUER_CA: has no effect without POSTERN_TRUSTED_ISSUERS'],
  [
    { POSTERN_TRUSTED_ISSUERS: 'https://a.example', MCP_CLIENT_AUTH_ENABLED: 'false', TRUST_PROXY_AUTH: 'true' },
    'POSTERN_TRUSTED_ISSUERS: counts for metrics only',
  ],
  [{ POSTERN_PUBLIC_URL: 'https://a.example/path' }, 'POSTERN_PUBLIC_URL: expected a URL of scheme, host and port'],
  [{ POSTERN_PUBLIC_URL: 'ftp://a.example' }, 'POSTERN_PUBLIC_URL: expected'],
  [{ BASIC_AUTH_USER: 'root' }, 'BASIC_AUTH_PASSWORD: has to be set too: BASIC_AUTH_USER is'],
  [{ BASIC_AUTH_PASSWORD: 'canary' }, 'BASIC_AUTH_USER: has to be set too'],
  [{ BASIC_AUTH_USER: 'a:b', BASIC_AUTH_PASSWORD: 'canary' }, 'BASIC_AUTH_USER: cannot hold a colon'],
] as [Record<string, string>, string][])('of %o it is said: %s', (environment, said) => {
  expect(saidOf(environment)).toContain(said);
  expect(saidOf(environment)).not.toContain('canary');
});

test('a private key in a setting is not shown, the path to one is', () => {
  const shown = (JWT_PRIVATE_KEY_PATH: string) => {
    const parsed = parseConfig({ environment: { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY_PATH } });
    return effectiveSettings(parsed).find(({ name }) => name === 'jwtPrivateKeyPath')?.value;
  };
  expect(['keys/own.pem', '-----BEGIN PRIVATE KEY-----', ' {"kty":"OKP"}'].map(shown)).toEqual([
    'keys/own.pem',
    '*****',
    '*****',
  ]);
});
