import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS, GatewayError } from '../../../src/base/errors.ts';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { openApiDocument } from '../../../src/http/api/openapi.ts';
import { problemOf } from '../../../src/http/problem.ts';
import { statusOf } from '../../../src/http/respond.ts';
import { grantUpkeep } from '../../../src/policy/grant.ts';
import { snakeOf } from '../../../src/registry/field-schema.ts';
import { MEMBER_FIELDS, SERVER_FIELDS } from '../../../src/catalog/server-fields.ts';
import { parseServerCreate, parseServerUpdate } from '../../../src/catalog/server-input.ts';
import { GATEWAY_FIELDS } from '../../../src/registry/gateway-fields.ts';
import { parseGatewayCreate, parseGatewayUpdate } from '../../../src/registry/gateway-input.ts';
import { startGateway } from '../../support/gateway.ts';
import type { TestGateway } from '../../support/gateway.ts';
import { schemaProblem } from '../../support/json-schema.ts';
import { startMcpUpstream } from '../../support/mcp-upstream.ts';
import type { McpUpstream } from '../../support/mcp-upstream.ts';
import { mintPki } from '../../support/pki.ts';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly $ref?: string }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { properties: object; examples: unknown[]; required?: string[] }>>;
    readonly responses: Readonly<Record<string, unknown>>;
  };
}
const document = JSON.parse(JSON.stringify(openApiDocument())) as Document;
const { schemas, responses } = document.components;
const METHODS = new Set(['get', 'post', 'put', 'delete']);
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).flatMap(([method, operation]) => (METHODS.has(method) ? [{ path, method, operation }] : [])),
);

test('the fields that are documented are the fields that are read', () => {
  expect(Object.keys(schemas['GatewayCreate']?.properties ?? {})).toEqual(Object.keys(GATEWAY_FIELDS));
  expect(Object.keys(schemas['GatewayUpdate']?.properties ?? {})).toEqual(Object.keys(GATEWAY_FIELDS));
  expect(schemas['GatewayCreate']?.required).toEqual(['name']);
  expect(schemas['GatewayUpdate']).not.toHaveProperty('required');
  expect(Object.keys(schemas['ServerCreate']?.properties ?? {})).toEqual(Object.keys(SERVER_FIELDS));
  expect(Object.keys(schemas['ServerUpdate']?.properties ?? {})).toEqual(Object.keys(SERVER_FIELDS));
  expect(schemas['ServerCreate']?.required).toEqual(['name']);
  expect(schemas['ServerUpdate']).not.toHaveProperty('required');
});

test.each([
  ['gateway', GATEWAY_FIELDS],
  ['server', SERVER_FIELDS],
  ['member', MEMBER_FIELDS],
])('every field of a %s has a description and two spellings that differ from all others', (_what, fields) => {
  const names = Object.keys(fields);
  expect(Object.values(fields).every(({ description = '' }) => description.length > 5)).toBe(true);
  expect(new Set([...names, ...names.map(snakeOf)]).size).toBe(
    2 * names.length - names.filter((name) => snakeOf(name) === name).length,
  );
});

test('the examples are valid, and are read', () => {
  for (const example of schemas['GatewayCreate']?.examples ?? []) {
    expect(schemaProblem(document, 'GatewayCreate', example)).toBeUndefined();
    parseGatewayCreate(example);
  }
  for (const example of schemas['GatewayUpdate']?.examples ?? []) {
    expect(schemaProblem(document, 'GatewayUpdate', example)).toBeUndefined();
    parseGatewayUpdate(example);
  }
  for (const example of schemas['ServerCreate']?.examples ?? []) {
    expect(schemaProblem(document, 'ServerCreate', example)).toBeUndefined();
    parseServerCreate(example);
  }
  for (const example of schemas['ServerUpdate']?.examples ?? []) {
    expect(schemaProblem(document, 'ServerUpdate', example)).toBeUndefined();
    parseServerUpdate(example);
  }
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
  const components = document.components as unknown as Record<string, Record<string, unknown>>;
  expect(references.length).toBeGreaterThan(50);
  for (const [, kind = '', name = ''] of references) expect(components[kind]).toHaveProperty(name);
});

const SUCCESS: Readonly<Record<string, string>> = {
  createServer: '201',
  createToken: '201',
  createRevocation: '201',
  rotate: '202',
};
const ALWAYS = ['400', '401', '403', '500', '503'];

test('every operation has an id of its own, and documents success and each refusal of an API behind a token', () => {
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  for (const { operation } of operations)
    for (const status of [SUCCESS[operation.operationId] ?? '200', ...ALWAYS])
      expect(operation.responses, operation.operationId).toHaveProperty(status);
});

test('every status a code can have is documented', () => {
  const statuses = Object.keys(ERRORS).map((code) => `Problem${statusOf(code as ErrorCode)}`);
  expect([...new Set(statuses)].filter((name) => !(name in responses) && name !== 'Problem405')).toEqual([]);
});

describe('what is answered fits the document', () => {
  let gateway: TestGateway;
  let upstream: McpUpstream;
  beforeAll(async () => {
    const ca = await (await mintPki()).ca('CA');
    const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
    const client = await ca.issue({ cn: 'client' });
    upstream = await startMcpUpstream({
      tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true },
    });
    gateway = await startGateway();
    await gateway.register({
      name: 'full',
      url: upstream.url,
      ca_certificate: ca.pem,
      client_cert: client.chainPem,
      client_key: client.keyPem,
      auth_type: 'authheaders',
      auth_headers: [{ key: 'X-A', value: 'a' }],
      next: { client_cert: client.chainPem, client_key: client.keyPem },
      tags: ['a'],
      refresh_interval_seconds: 60,
    });
    const other = await ca.issue({ cn: 'other' });
    const next = { client_cert: other.chainPem, client_key: other.keyPem, ca_certificate: ca.pem };
    const moving = { name: 'moving', url: upstream.url, ca_certificate: ca.pem, next };
    await gateway.register({ ...moving, client_cert: client.chainPem, client_key: client.keyPem });
    await gateway.gateway.registry.changes.promote(grantUpkeep('test'), 'moving');
    await gateway.api('PUT', '/v1/gateways/moving', { next });
    await gateway.api('POST', '/v1/gateways?connect=false', { name: 'bare', url: 'http://127.0.0.1:9/mcp' });
    const same = { gateway: 'full', prefix: '', tools: ['echo', 'gone'], aliases: { echoed: 'echo' } };
    await gateway.api('POST', '/v1/servers', { name: 'made', members: [same, { gateway: 'bare' }, { gateway: 'x*' }] });
    await gateway.api('POST', '/v1/servers', { name: 'blank' });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  const answer = async (method: string, path: string, body?: unknown) => (await gateway.api(method, path, body)).json();

  test.each(['full', 'moving', 'bare'])('the gateway %s', async (slug) => {
    expect(schemaProblem(document, 'GatewayRead', await answer('GET', `/v1/gateways/${slug}`))).toBeUndefined();
  });

  test.each(['made', 'blank'])('the server %s', async (slug) => {
    expect(schemaProblem(document, 'ServerRead', await answer('GET', `/v1/servers/${slug}`))).toBeUndefined();
  });

  test.each([
    ['tools', 'ToolRead'],
    ['prompts', 'PromptRead'],
    ['resources', 'ResourceRead'],
  ])('the %s', async (path, schema) => {
    const items = (await answer('GET', `/v1/${path}`)) as unknown[];
    expect(items).not.toEqual([]);
    for (const item of items) expect(schemaProblem(document, schema, item)).toBeUndefined();
  });

  test('pages, refreshes and reports', async () => {
    expect(
      schemaProblem(document, 'GatewayPage', await answer('GET', '/v1/gateways?include_pagination=true&limit=1')),
    ).toBeUndefined();
    expect(
      schemaProblem(document, 'ServerPage', await answer('GET', '/v1/servers?include_pagination=true&limit=1')),
    ).toBeUndefined();
    expect(
      schemaProblem(document, 'GatewayRefreshResponse', await answer('POST', '/v1/gateways/full/refresh')),
    ).toBeUndefined();
    expect(schemaProblem(document, 'HandshakeReport', await answer('POST', '/v1/gateways/full/check'))).toBeUndefined();
    expect(schemaProblem(document, 'HandshakeReport', await answer('POST', '/v1/gateways/bare/check'))).toBeUndefined();
  });

  test('problems, as they are made and as they arrive', async () => {
    expect(schemaProblem(document, 'Problem', await answer('POST', '/v1/gateways', { colour: 'red' }))).toBeUndefined();
    const error = new GatewayError('tls_unknown_ca', 'm', { hint: 'h', details: { a: 1 } });
    expect(schemaProblem(document, 'Problem', JSON.parse(JSON.stringify(problemOf(error))))).toBeUndefined();
  });

  test('every documented operation exists, under both addresses', async () => {
    for (const { path, method } of operations)
      for (const prefix of ['/v1', '']) {
        const address = path.replace('/v1', prefix).replace('{id}', 'nobody');
        const response = await gateway.api(method.toUpperCase(), address, method === 'get' ? undefined : { x: 1 });
        expect([200, 400, 404], `${method} ${address}`).toContain(response.status);
        const { code = 'ok' } = (await response.json()) as { code?: string };
        expect(['ok', 'request_invalid', 'not_found']).toContain(code);
        if (code === 'not_found') expect(path).toContain('{id}');
      }
  });

  test('the document is served', async () => {
    expect(await answer('GET', '/openapi.json')).toEqual(document);
  });
});
