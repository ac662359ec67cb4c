import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { parseGatewayCreate, parseGatewayUpdate } from '../../../src/registry/gateway-input.ts';

const NEEDED = { name: 'time', url: 'http://127.0.0.1:1/mcp' };

function refusalOf(work: () => unknown): GatewayError {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('every field ContextForge has is known, in its own spelling', () => {
  const all = {
    ...NEEDED,
    description: 'd',
    transport: 'STREAMABLEHTTP',
    passthrough_headers: ['x-tenant'],
    auth_type: 'authheaders',
    auth_username: null,
    auth_password: null,
    auth_token: null,
    auth_header_key: null,
    auth_header_value: null,
    auth_headers: [{ key: 'X-Key', value: 'v' }],
    oauth_config: null,
    auth_query_param_key: null,
    auth_query_param_value: null,
    auth_value: null,
    one_time_auth: false,
    tags: ['a'],
    team_id: 't',
    owner_email: 'o@example.com',
    visibility: 'team',
    ca_certificate: null,
    ca_certificate_sig: null,
    signing_algorithm: 'ed25519',
    client_cert: null,
    client_key: null,
    refresh_interval_seconds: 60,
    gateway_mode: 'cache',
    identity_propagation: { enabled: false, mode: 'headers' },
  };
  expect(parseGatewayCreate(all)).toMatchObject({ name: 'time', passthroughHeaders: ['x-tenant'], teamId: 't' });
});

test('a registration needs a name and a url, a change needs nothing', () => {
  const refusal = refusalOf(() => parseGatewayCreate({}));
  expect(refusal.code).toBe('request_invalid');
  expect(refusal.details).toEqual({
    fields: [
      { field: 'name', problem: 'is required' },
      { field: 'url', problem: 'is required' },
    ],
  });
  expect(parseGatewayUpdate({})).toEqual({});
});

test('each unknown field is named', () => {
  const refusal = refusalOf(() => parseGatewayUpdate({ verfy: false, client_kye: 'secret-text' }));
  expect(refusal.message).toBe('verfy is not a known field; client_kye is not a known field');
  expect(JSON.stringify(refusal.details)).not.toContain('secret-text');
});

test('a field of an answer is no field of a change', () => {
  for (const field of ['id', 'slug', 'enabled', 'reachable', 'tls'])
    expect(refusalOf(() => parseGatewayUpdate({ [field]: 'x' })).message).toBe(`${field} is not a known field`);
});

test('tls_config is another way to write three fields', () => {
  const patch = parseGatewayUpdate({ tls_config: { ca_cert: 'CA', clientCert: 'CERT', client_key: 'KEY' } });
  expect(patch).toMatchObject({ caCertificate: 'CA', clientCert: 'CERT' });
  expect(patch.clientKey).toBeInstanceOf(Secret);
  expect(patch).not.toHaveProperty('tlsConfig');
  expect(parseGatewayUpdate({ tls_config: { ca_cert: null } })).toEqual({ caCertificate: null });
  expect(parseGatewayUpdate({ tls_config: null })).toEqual({});
});

test('a field both in tls_config and beside it is refused', () => {
  const refusal = refusalOf(() => parseGatewayUpdate({ ca_certificate: 'A', tls_config: { ca_cert: 'B' } }));
  expect(refusal.message).toBe('caCertificate is given twice, also as tls_config.ca_cert');
});

test.each([
  [{ auth_type: 'oauth' }, 'authType'],
  [{ oauth_config: {} }, 'oauthConfig'],
  [{ auth_type: 'one_time_auth' }, 'authType'],
  [{ one_time_auth: true }, 'oneTimeAuth'],
  [{ gateway_mode: 'direct_proxy' }, 'gatewayMode'],
  [{ identity_propagation: { enabled: true } }, 'identityPropagation'],
  [{ identity_propagation: { mode: 'headers' } }, 'identityPropagation'],
  [{ ca_certificate_sig: '00' }, 'caCertificateSig'],
  [{ auth_value: 'x' }, 'authValue'],
])('%j is refused until it works', (fields, field) => {
  const refusal = refusalOf(() => parseGatewayUpdate(fields));
  expect(refusal.code).toBe('feature_unsupported');
  expect(refusal.details).toEqual({ field });
  expect(refusal.hint).toBeDefined();
});
