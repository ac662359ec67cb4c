import { beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { applyPatch, draftOf } from '../../../src/registry/apply-patch.ts';
import { parseGatewayCreate, parseGatewayUpdate } from '../../../src/registry/gateway-input.ts';
import type { GatewayDraft } from '../../../src/registry/gateway-record.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCertificate } from '../../support/pki.ts';

const create = (fields: object = {}): GatewayDraft =>
  draftOf('id-1', parseGatewayCreate({ name: 'Time Zone', url: 'https://127.0.0.1:1/mcp', ...fields }));
const change = (draft: GatewayDraft, fields: object): GatewayDraft => applyPatch(draft, parseGatewayUpdate(fields));
const refused = (code: string, message = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });
const sealed = (text: string) => ({ sealed: text });

let caPem: string;
let client: MintedCertificate;
beforeAll(async () => {
  const ca = await (await mintPki()).ca('CA');
  caPem = ca.pem;
  client = await ca.issue({ cn: 'client' });
});

test('a registration gets a slug, a prefix and defaults', () => {
  expect(create()).toEqual({
    id: 'id-1',
    slug: 'time-zone',
    name: 'Time Zone',
    description: undefined,
    url: 'https://127.0.0.1:1/mcp',
    transport: 'auto',
    prefix: 'time-zone_',
    enabled: true,
    passthroughHeaders: [],
    refreshIntervalSeconds: undefined,
    auth: { type: 'none' },
    tls: {},
    labels: {},
  });
});

test('a new name leaves slug and prefix alone; a prefix of null is the default again', () => {
  const renamed = change(create({ prefix: 'tz_' }), { name: 'Clock' });
  expect(renamed).toMatchObject({ name: 'Clock', slug: 'time-zone', prefix: 'tz_' });
  expect(change(renamed, { prefix: null }).prefix).toBe('time-zone_');
  expect(change(renamed, { prefix: '' }).prefix).toBe('');
});

test('what is absent stays, what is null goes', () => {
  const before = create({
    description: 'd',
    tags: ['a'],
    transport: 'SSE',
    passthrough_headers: ['X-Tenant', 'x-tenant'],
  });
  expect(before).toMatchObject({ transport: 'sse', passthroughHeaders: ['x-tenant'] });
  expect(change(before, {})).toEqual(before);
  const cleared = change(before, { description: null, tags: null, transport: null, passthrough_headers: null });
  expect(cleared).toMatchObject({ transport: 'auto', passthroughHeaders: [] });
  expect(cleared.description).toBeUndefined();
  expect(cleared.labels.tags).toBeUndefined();
});

test.each(['authorization', 'Cookie', 'Host', 'mcp-session-id', 'Content-Type', 'Proxy-Authorization'])(
  'the header %s is never passed on',
  (header) => {
    expect(() => create({ passthrough_headers: [header] })).toThrow(refused('config_invalid', header.toLowerCase()));
  },
);

describe('logging in', () => {
  test.each([
    [
      { auth_type: 'basic', auth_username: 'u', auth_password: 'a:b:c' },
      { type: 'basic', username: 'u', password: 'a:b:c' },
    ],
    [
      { auth_type: 'bearer', auth_token: 't' },
      { type: 'bearer', token: 't' },
    ],
    [
      { auth_type: 'authheaders', auth_headers: [{ key: 'X-A', value: '1' }] },
      { type: 'authheaders', headers: { 'X-A': '1' } },
    ],
    [
      { auth_type: 'authheaders', auth_header_key: 'X-A', auth_header_value: '1' },
      { type: 'authheaders', headers: { 'X-A': '1' } },
    ],
    [
      { auth_type: 'query_param', auth_query_param_key: 'k', auth_query_param_value: 'v' },
      { type: 'query_param', key: 'k', value: 'v' },
    ],
    [{ auth_type: 'none' }, { type: 'none' }],
    [{ auth_type: null }, { type: 'none' }],
  ])('%j', (fields, auth) => {
    expect(revealed(create(fields).auth)).toEqual(auth);
  });

  test.each([
    [{ auth_type: 'basic', auth_username: 'u' }, 'needs auth_username and auth_password'],
    [{ auth_type: 'bearer' }, 'needs auth_token'],
    [{ auth_type: 'authheaders' }, 'needs auth_headers or auth_header_key'],
    [{ auth_type: 'authheaders', auth_header_key: 'X-A', auth_header_value: null }, 'needs auth_headers'],
    [{ auth_type: 'query_param', auth_query_param_key: 'k' }, 'needs auth_query_param_key and auth_query_param_value'],
    [{ auth_token: 't' }, 'auth_token belongs to auth_type bearer, met auth_type none'],
    [{ auth_type: 'basic', auth_username: 'u', auth_password: 'p', auth_token: 't' }, 'auth_token belongs to'],
    [
      {
        auth_type: 'authheaders',
        auth_headers: [
          { key: 'A', value: '1' },
          { key: 'a', value: '2' },
        ],
      },
      'given twice',
    ],
    [{ auth_type: 'authheaders', auth_headers: [{ key: 'A', value: '1' }], auth_header_key: 'B' }, 'not both'],
  ])('%j is incomplete or contradictory', (fields, message) => {
    expect(() => create(fields)).toThrow(refused('config_invalid', message));
  });

  test('the mask keeps what is stored, and only that', () => {
    const stored: GatewayDraft = { ...create(), auth: { type: 'basic', username: 'u', password: sealed('p') } };
    expect(change(stored, { auth_password: '*****', auth_username: 'v' }).auth).toEqual({
      type: 'basic',
      username: 'v',
      password: sealed('p'),
    });
    expect(change(stored, { description: 'd' }).auth).toEqual(stored.auth);
    expect(() => change(stored, { auth_type: 'bearer', auth_token: '*****' })).toThrow(
      refused('request_invalid', 'none is stored'),
    );
    expect(() => create({ auth_type: 'bearer', auth_token: '*****' })).toThrow(refused('request_invalid'));
  });

  test('another type forgets the one before, null clears it', () => {
    const stored: GatewayDraft = { ...create(), auth: { type: 'bearer', token: sealed('t') } };
    expect(change(stored, { auth_type: null }).auth).toEqual({ type: 'none' });
    expect(() => change(stored, { auth_token: null })).toThrow(refused('config_invalid', 'needs auth_token'));
  });

  test('a masked header keeps its value and the spelling it was sealed for', () => {
    const stored: GatewayDraft = {
      ...create(),
      auth: { type: 'authheaders', headers: { 'X-A': sealed('a'), 'X-B': sealed('b') } },
    };
    const { auth } = change(stored, {
      auth_headers: [
        { key: 'x-a', value: '*****' },
        { key: 'X-C', value: 'c' },
      ],
    });
    expect(revealed(auth)).toEqual({ type: 'authheaders', headers: { 'X-A': sealed('a'), 'X-C': 'c' } });
    expect(() => change(stored, { auth_headers: [{ key: 'X-Z', value: '*****' }] })).toThrow(
      refused('request_invalid'),
    );
  });
});

describe('TLS material', () => {
  const withIdentity = (fields: object = {}) =>
    create({
      ca_certificate: caPem,
      client_cert: client.chainPem,
      client_key: client.keyPem,
      client_key_password: 'hush',
      ...fields,
    });

  test('null clears it, the mask keeps it, absent keeps it', () => {
    const before = withIdentity({ ca_mode: 'add', pins: ['x'], min_tls_version: '1.3' });
    expect(before.tls).toMatchObject({ caMode: 'add', minTlsVersion: 'TLSv1.3', pins: ['x'] });
    expect(change(before, {}).tls).toEqual(before.tls);
    expect(change(before, { client_key: '*****', client_key_password: '*****' }).tls).toEqual(before.tls);
    const cleared = change(before, {
      ca_certificate: null,
      client_cert: null,
      client_key: null,
      pins: null,
      min_tls_version: null,
    });
    expect(Object.values(cleared.tls).filter((value) => value !== undefined)).toEqual([]);
  });

  test('a certificate without its key is refused, also when it is a bundle with the key in it', () => {
    for (const client_cert of [client.certPem, client.bundlePem, '/certs/bundle.pem'])
      expect(() => create({ client_cert })).toThrow(refused('key_missing'));
    expect(() => change(withIdentity(), { client_key: null })).toThrow(refused('key_missing'));
  });

  test('a bundle in both fields leaves no key where certificates are shown', () => {
    const { clientCert } = create({ client_cert: client.bundlePem, client_key: client.bundlePem }).tls;
    expect(clientCert).toEqual({ pem: client.chainPem });
  });

  test.each([
    ['ca_certificate', 'ca_unreadable'],
    ['client_cert', 'certificate_unreadable'],
    ['crl', 'crl_unreadable'],
  ])('%s must hold what belongs there', (field, code) => {
    for (const text of ['no pem', client.keyPem, '-----BEGIN CERTIFICATE-----\nAAAA'])
      expect(() => create({ client_key: client.keyPem, [field]: text })).toThrow(refused(code));
  });

  test('paths stay paths', () => {
    const { tls } = create({
      ca_certificate: '/certs/ca.pem',
      client_cert: 'certs/a.crt',
      client_key: './certs/a.key',
      crl: 'C:\\certs\\a',
    });
    expect(tls).toMatchObject({
      caCertificate: { file: '/certs/ca.pem' },
      clientCert: { file: 'certs/a.crt' },
      clientKey: { file: './certs/a.key' },
      crl: { file: 'C:\\certs\\a' },
    });
  });

  test('ca_mode needs a ca_certificate, and goes with it', () => {
    expect(() => create({ ca_mode: 'only' })).toThrow(refused('config_invalid', 'ca_mode'));
    expect(change(withIdentity({ ca_mode: 'add' }), { ca_certificate: null }).tls.caMode).toBeUndefined();
  });

  test('the identity to come is merged like the one in force', () => {
    const next = { client_cert: client.chainPem, client_key: client.keyPem, client_key_password: 'hush' };
    const before = withIdentity({ next });
    expect(change(before, { next: { client_key: '*****', client_key_password: null } }).tls.next).toEqual({
      ...before.tls.next,
      clientKeyPassword: undefined,
    });
    expect(change(before, { next: null }).tls.next).toBeUndefined();
    expect(change(before, { next: { client_cert: null, client_key: null } }).tls.next).toBeUndefined();
    expect(() => create({ next: { client_cert: client.chainPem } })).toThrow(
      refused('key_missing', 'next.client_cert'),
    );
  });

  test('an http URL takes no TLS fields', () => {
    const url = 'http://127.0.0.1:1/mcp';
    expect(() => create({ url, ca_certificate: caPem, verify: false })).toThrow(
      refused('config_invalid', 'ca_certificate, verify need an https URL'),
    );
    expect(create({ url, verify: true, check_hostname: true }).url).toBe(url);
    expect(() => change(withIdentity(), { url })).toThrow(refused('config_invalid', 'client_cert'));
  });
});

/** A copy with secrets in the open. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, revealed(member)]));
}
