import { expect, test } from 'vitest';
import { readSettings } from '../../../adapters/cloudflare/settings.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { makeKeys } from '../../support/gateway.ts';

const keys = makeKeys();
const GIVEN = {
  POSTERN_STORAGE: 'd1:DB',
  POSTERN_VAULT_KEYS: keys.vaultKeys.reveal(),
  JWT_SECRET_KEY: keys.jwtSecretKey.reveal(),
};

function refusalOf(texts: Readonly<Record<string, unknown>>): GatewayError | undefined {
  try {
    readSettings({ ...GIVEN, ...texts });
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

test('texts are settings, numbers and booleans of wrangler.toml too, and other bindings are none', () => {
  const { config } = readSettings({
    ...GIVEN,
    POSTERN_POLL_INTERVAL: 7,
    POSTERN_ALLOW_INSECURE_TLS: true,
    DB: {},
    OTHER: 'x',
  });
  expect(config).toMatchObject({ pollIntervalSeconds: 7, allowInsecureTls: true, host: '0.0.0.0' });
});

test('callers are asked for certificates where the zone does so', () => {
  expect(readSettings({ ...GIVEN, CERT_REQS: '2' }).config.clientAuth).toBe('required');
  expect(readSettings(GIVEN).config.clientAuth).toBe('none');
});

test.for(Object.keys(GIVEN))('without %s there is no gateway, and nothing is made up', (name) => {
  for (const value of [undefined, '']) {
    const error = refusalOf({ [name]: value });
    expect(error).toMatchObject({ code: 'config_invalid', details: { settings: [name] } });
    expect(error?.message).toContain(name);
  }
});

test.for([
  ['PORT', '1', 'listener'],
  ['POSTERN_HEALTH_PORT', '1', 'listener'],
  ['CERT_FILE', 'x', 'listener'],
  ['KEY_FILE', 'x', 'listener'],
  ['POSTERN_TLS_MIN_VERSION', '1.3', 'listener'],
  ['CA_CERTS', 'x', 'requestCertificate'],
  ['POSTERN_CLIENT_CRL', 'x', 'crl'],
  ['POSTERN_OCSP', 'callers', 'ocsp'],
  ['POSTERN_REVOCATION_FAILURE', 'open', 'crl'],
  ['POSTERN_DATA_DIR', 'x', 'files'],
  ['POSTERN_CONFIG', 'x', 'files'],
  ['POSTERN_CERT_DIRS', '/certs', 'files'],
  ['POSTERN_STDIO_COMMANDS', 'cat', 'programs'],
  ['POSTERN_STDIO_MAX_PROCESSES', '2', 'programs'],
  ['POSTERN_CONNECT_TIMEOUT', '5', 'connectTimeout'],
  ['SSL_CONTEXT_CACHE_MAX_SIZE', '5', 'contexts'],
  ['POSTERN_DRAIN_TIMEOUT', '5', 'shutdown'],
  ['TRUST_PROXY_AUTH', 'true', 'peerAddress'],
  ['POSTERN_TRUSTED_PROXIES', '10.0.0.1', 'peerAddress'],
  ['PROXY_USER_HEADER', 'X-User', 'peerAddress'],
  ['POSTERN_ISSUER_CA', '-----BEGIN CERTIFICATE-----', 'caOnly'],
])('%s is refused by what it takes', ([name = '', value, capability]) => {
  const error = refusalOf({ [name]: value });
  expect(error).toMatchObject({ code: 'capability_unsupported', details: { capabilities: [capability] } });
  expect(error?.message).toContain(`${name} (${capability})`);
});

test.for([
  ['POSTERN_POLL_INTERVAL', 'soon'],
  ['POSTERN_STORAGE', 'somewhere'],
  ['POSTERN_POOL_INTERVAL', '5'],
  ['AUTH_REQUIRED', 'perhaps'],
  ['CERT_REQS', 'perhaps'],
  ['JWT_SECRET_KEY', 'short'],
])('%s=%s is refused', ([name = '', value]) => {
  expect(refusalOf({ [name]: value })).toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining(name),
  });
});

test('nobody is let in without credentials where the world can ask', () => {
  const open = { AUTH_REQUIRED: 'false' };
  const loopback = { ...open, HOST: '127.0.0.1' };
  for (const texts of [open, { ...open, HOST: 'example.org' }, { ...loopback, POSTERN_ALLOWED_HOSTS: 'example.org' }])
    expect(refusalOf(texts)).toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('AUTH_REQUIRED'),
    });
  expect(refusalOf(loopback)).toBeUndefined();
});

test('a store that promises little is taken, and the operator told', () => {
  expect(readSettings(GIVEN).warnings).toEqual([]);
  const { warnings } = readSettings({ ...GIVEN, POSTERN_STORAGE: 'cf-kv:KV' });
  expect(warnings).toMatchObject([{ setting: 'POSTERN_STORAGE', message: expect.stringContaining('lost') }]);
});

test('where a private key signs, no secret is asked for', () => {
  const signing = { JWT_SECRET_KEY: '', JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY_PATH: '-----BEGIN PRIVATE KEY-----' };
  expect(refusalOf({ JWT_SECRET_KEY: '' })?.message).toContain('JWT_SECRET_KEY');
  expect(refusalOf(signing)).toBeUndefined();
});

test('no secret is in what is said', () => {
  const error = refusalOf({ POSTERN_POLL_INTERVAL: 'soon' });
  const told = JSON.stringify([error?.message, error?.hint, error?.details]);
  for (const secret of [GIVEN.POSTERN_VAULT_KEYS, GIVEN.JWT_SECRET_KEY]) expect(told).not.toContain(secret);
});
