import { expect, test } from 'vitest';
import { missingIn, onlyGateway, opened, readFile } from '../../support/imports.ts';

const url = 'https://mcp.example.com/mcp';
const gateway = (fields: object) => onlyGateway({ entities: { gateways: [{ name: 'one', url, ...fields }] } });
const bodyOf = (fields: object) => opened(gateway(fields).body);
const problemsOf = (fields: object) => gateway(fields).problems.map(({ kind, name }) => `${kind} ${name}`);

test('an export as its service writes it', () => {
  const { format, entries, leftOut } = readFile({
    version: '2025-11-25',
    exported_at: '2026-08-21T14:50:42Z',
    exported_by: 'admin@example.com',
    source_gateway: 'http://0.0.0.0:4444',
    encryption_method: 'AES-256-GCM',
    entities: {
      tools: [{ name: 'rest', integration_type: 'REST' }, { name: 'other' }],
      gateways: [
        {
          name: 'Up Plain',
          url: 'http://localhost:9001/mcp',
          description: 'plain',
          transport: 'STREAMABLEHTTP',
          capabilities: { tools: {} },
          health_check: { url: 'http://localhost:9001/mcp/health', interval: 30 },
          is_active: true,
          tags: [{ id: 'a', label: 'Alpha' }, 'beta'],
          passthrough_headers: ['X-Tenant'],
        },
        { name: 'Up', url, transport: 'SSE', is_active: false, auth_type: 'bearer', auth_value: 'sealed' },
      ],
      servers: [
        {
          name: 'Desk',
          description: 'a desk',
          tool_ids: ['up-plain-echo-text', 'up-hold', 'rest', 'up-plain-add'],
          sse_endpoint: '/servers/0b6e1f/sse',
          is_active: true,
          tags: [],
        },
      ],
      prompts: [{ name: 'p' }],
      resources: [],
      roots: [{ uri: 'file:///x' }],
    },
    metadata: { entity_counts: { tools: 2 } },
  });
  expect(format).toBe('export of ContextForge');
  expect(entries.map((entry) => ({ ...entry, body: opened(entry.body) }))).toEqual([
    {
      kind: 'gateway',
      source: 'Up Plain',
      enabled: true,
      problems: [],
      changes: [],
      body: {
        name: 'Up Plain',
        url: 'http://localhost:9001/mcp',
        description: 'plain',
        transport: 'STREAMABLEHTTP',
        tags: ['Alpha', 'beta'],
        passthroughHeaders: ['X-Tenant'],
      },
    },
    {
      kind: 'gateway',
      source: 'Up',
      enabled: false,
      problems: [expect.objectContaining({ kind: 'secret', name: 'Up.auth_token' })],
      changes: [],
      body: { name: 'Up', url, transport: 'SSE', authType: 'bearer' },
    },
    {
      kind: 'server',
      source: 'Desk',
      enabled: true,
      problems: [],
      changes: [expect.stringContaining('1 of its 4 tools')],
      // clients keep the address they have
      body: { name: 'Desk', id: '0b6e1f', description: 'a desk' },
      members: [
        { gateway: 'up-plain', rule: {}, toolSlugs: ['echo-text', 'add'] },
        { gateway: 'up', rule: {}, toolSlugs: ['hold'] },
      ],
    },
  ]);
  expect(leftOut.map(({ what, count }) => [what, count])).toEqual([
    ['tools', 2],
    ['prompts', 1],
    ['roots', 1],
  ]);
});

test.each([
  ['none', { auth_type: null }, {}],
  [
    'headers it kept in the clear',
    { auth_type: 'bearer', auth_value: { Authorization: 'Bearer canary' } },
    { authType: 'bearer', authToken: { secret: 'canary', shown: '*****' } },
  ],
  [
    'a list of headers in the clear',
    { authType: 'authheaders', authHeaders: [{ key: 'X', value: 'canary' }] },
    { authType: 'authheaders', authHeaders: [{ key: 'X', value: { secret: 'canary', shown: '*****' } }] },
  ],
  [
    'a token in the clear',
    { auth_type: 'bearer', auth_token: 'canary' },
    { authType: 'bearer', authToken: { secret: 'canary', shown: '*****' } },
  ],
])('credentials it can hand over: %s', (_, fields, auth) => {
  expect([problemsOf(fields), bodyOf(fields)]).toEqual([[], { name: 'one', url, ...auth }]);
});

test.each([
  ['basic', { auth_type: 'basic', auth_value: 'sealed' }, ['auth_username', 'auth_password']],
  ['basic of a list', { authType: 'basic', authUsername: 'ann', authPassword: '*****' }, ['auth_password']],
  ['bearer', { auth_type: 'bearer', auth_value: '*****' }, ['auth_token']],
  ['headers', { auth_type: 'authheaders', auth_value: 'sealed' }, ['auth_header_key', 'auth_header_value']],
  [
    'masked headers',
    { authType: 'authheaders', authHeaders: [{ key: 'X', value: '*****' }], authHeaderKey: 'X' },
    ['auth_header_value'],
  ],
  ['a parameter', { auth_type: 'query_param', auth_query_params: { api_key: 'sealed' } }, ['auth_query_param_value']],
  ['a private key', { client_cert: 'CERT', client_key: 'v2:{"kdf":"argon2id"}' }, ['client_key']],
])('secrets it cannot hand over are missing: %s', (_, fields, names) => {
  expect(missingIn(gateway(fields))).toEqual(names.map((name) => `one.${name}`));
});

test.each([
  ['OAuth', { auth_type: 'oauth', oauth_config: { grant_type: 'client_credentials' } }, 'unsupported auth_type'],
  ['one-time credentials', { auth_type: 'one_time_auth' }, 'unsupported auth_type'],
  ['identity propagation', { identity_propagation: { enabled: true } }, 'unsupported identity_propagation'],
  ['no URL', { url: null }, 'invalid url'],
])('what does not work is named: %s', (_, fields, problem) => {
  expect(problemsOf(fields)).toEqual([problem]);
});

test('its authorities are trusted beside the public ones, as it does; a plain key is taken over as a secret', () => {
  const key = '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n';
  const fields = { ca_certificate: 'CA', ca_certificate_sig: 'ab', client_cert: 'CERT', client_key: key };
  expect(bodyOf(fields)).toMatchObject({
    caCertificate: 'CA',
    caMode: 'add',
    clientCert: 'CERT',
    clientKey: { secret: key },
  });
  expect(JSON.stringify(gateway(fields))).not.toContain('canary');
  expect(gateway({ ...fields, gateway_mode: 'direct_proxy' }).changes).toHaveLength(3);
});

test('what its API lists is read too', () => {
  expect(readFile([{ name: 'a', url, transport: 'SSE', enabled: true }]).format).toBe('export of ContextForge');
  expect(readFile({ gateways: [{ name: 'a', url }], nextCursor: null }).entries).toHaveLength(1);
});

test('of two gateways a tool could belong to, it is the one with the longer name', () => {
  const gateways = ['up', 'up-plain', 'other'].map((name) => ({ name, url }));
  const servers = [{ name: 's', tool_ids: ['up-plain-echo', 'up-hold'] }];
  expect(readFile({ entities: { gateways, servers } }).entries[3]).toMatchObject({
    members: [
      { gateway: 'up-plain', toolSlugs: ['echo'] },
      { gateway: 'up', toolSlugs: ['hold'] },
    ],
  });
});

test('a virtual server none of whose tools is known here is invalid', () => {
  const { entries } = readFile({ entities: { servers: [{ name: 's', tool_ids: ['0123abcd'] }] } });
  expect(entries).toMatchObject([{ kind: 'server', problems: [{ kind: 'invalid', name: 'tools' }] }]);
});
