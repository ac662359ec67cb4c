import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MEMBER_FIELDS } from '../../../src/catalog/server-fields.ts';
import { startGateway } from '../../support/gateway.ts';
import type { TestGateway } from '../../support/gateway.ts';
import { startMcpUpstream } from '../../support/mcp-upstream.ts';
import type { McpUpstream } from '../../support/mcp-upstream.ts';

type Fields = Record<string, unknown>;

let upstream: McpUpstream;
let gateway: TestGateway;
beforeAll(async () => {
  upstream = await startMcpUpstream();
  gateway = await startGateway();
  await gateway.register({ name: 'One', url: upstream.url });
  await gateway.register({ name: 'Two', url: upstream.url });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(async () => {
  for (const { id } of (await ask('GET', '?include_inactive=true')).body as unknown as { id: string }[])
    await ask('DELETE', `/${id}`);
});

async function ask(method: string, below: string, body?: unknown, headers?: Readonly<Record<string, string>>) {
  const response = await gateway.api(method, `/v1/servers${below}`, body, headers);
  return { status: response.status, etag: response.headers.get('etag') ?? '', body: (await response.json()) as Fields };
}
const itemsOf = async (kind: string) => (await (await gateway.api('GET', `/v1/${kind}`)).json()) as Fields[];

test('only an admin gets in, under both addresses, and the MCP address stays open to users', async () => {
  const user = { authorization: `Bearer ${await gateway.token('somebody')}` };
  for (const path of ['/servers', '/servers/one', '/servers/one/state', '/tools', '/prompts', '/resources'])
    for (const version of ['/v1', ''])
      expect((await gateway.api('GET', version + path, undefined, user)).status, version + path).toBe(403);
  expect((await gateway.api('POST', '/servers/one/mcp', { jsonrpc: '2.0', id: 1, method: 'ping' }, user)).status).toBe(
    200,
  );
});

test('a server is made, read, listed and removed', async () => {
  const made = await ask('POST', '', {
    name: 'Sales Desk',
    description: 'd',
    members: [{ gateway: 'one', deny_tools: ['b*'] }],
  });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    slug: 'sales-desk',
    enabled: true,
    status: 'active',
    members: [{ gateway: 'one', prefix: null, tools: null, denyTools: ['b*'], aliases: {} }],
    gateways: ['one'],
    unresolved: [],
    collisions: [],
    createdBy: 'operator',
    version: 1,
  });
  expect(made.body['associatedTools']).toContain('echo');
  expect(made.body['associatedTools']).not.toContain('big');
  const read = await ask('GET', '/sales-desk');
  expect(read).toEqual({ ...made, status: 200 });
  expect((await ask('GET', `/${String(made.body['id'])}`)).body).toEqual(read.body);
  expect((await ask('GET', '')).body).toEqual([read.body]);
  expect((await ask('GET', '?include_pagination=1')).body).toEqual({ servers: [read.body], nextCursor: null });
  expect(await (await gateway.api('GET', '/servers/sales-desk')).json()).toEqual(read.body);
  expect((await ask('DELETE', '/sales-desk')).body).toEqual({
    status: 'success',
    message: 'Server sales-desk deleted',
  });
  expect(await ask('GET', '/sales-desk')).toMatchObject({ status: 404, body: { code: 'not_found' } });
});

test('a change merges, counts, and is refused where the version is stale', async () => {
  const { etag } = await ask('POST', '', { name: 'S', description: 'd', members: [{ gateway: 'one' }], team_id: 't' });
  const changed = await ask('PUT', '/s', { name: 'Renamed', description: null }, { 'if-match': etag });
  expect(changed).toMatchObject({
    status: 200,
    body: { name: 'Renamed', slug: 's', description: null, members: [{ gateway: 'one' }], teamId: 't', version: 2 },
  });
  for (const [method, below, body] of [
    ['PUT', '/s', {}],
    ['DELETE', '/s', undefined],
    ['POST', '/s/state?activate=false', undefined],
  ] as const)
    expect(await ask(method, below, body, { 'if-match': etag })).toMatchObject({
      status: 412,
      body: { code: 'version_stale', message: 'the virtual server was changed since it was read' },
    });
  expect((await ask('POST', '/s/state?activate=false', undefined, { 'if-match': changed.etag })).body).toMatchObject({
    enabled: false,
    version: 3,
  });
  expect((await ask('GET', '')).body).toEqual([]);
  expect((await ask('PUT', '/s', { enabled: true })).body).toMatchObject({ enabled: true });
});

test('names and slugs are one namespace with the gateways, in both directions', async () => {
  await ask('POST', '', { name: 'Sales', id: 'fixed-id' });
  const taken = { status: 409, body: { code: 'name_taken' } };
  expect(await ask('POST', '', { name: 'Sales' })).toMatchObject(taken);
  expect(await ask('POST', '', { name: 'sales!' })).toMatchObject({
    ...taken,
    body: { message: 'the slug sales is taken by the virtual server Sales' },
  });
  expect((await ask('POST', '', { name: 'Other', id: 'fixed-id' })).body['message']).toContain(
    'the id fixed-id is taken by',
  );
  expect(await ask('POST', '', { name: 'Fixed id' })).toMatchObject(taken);
  expect(await ask('POST', '', { name: 'ONE' })).toMatchObject({
    ...taken,
    body: { message: 'the slug one is taken by the gateway One' },
  });
  const response = await gateway.api('POST', '/v1/gateways?connect=false', { name: 'sales.', url: upstream.url });
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({ message: 'the slug sales is taken by the virtual server Sales' });
  await ask('POST', '', { name: 'Other' });
  expect(await ask('PUT', '/other', { name: 'Sales' })).toMatchObject(taken);
});

test('what cannot be is refused with 422, and stores nothing', async () => {
  expect(await ask('POST', '', { name: 'S', members: [{ gateway: 'nobody' }] })).toMatchObject({
    status: 422,
    body: { code: 'config_invalid', details: { gateway: 'nobody' } },
  });
  expect((await ask('POST', '', { name: 'S', associated_tools: ['nothing'] })).status).toBe(422);
  expect((await ask('POST', '', { name: 'S', oauth_enabled: true })).body).toMatchObject({
    code: 'feature_unsupported',
  });
  expect((await ask('POST', '', { name: 'S', colour: 'red' })).status).toBe(400);
  expect((await ask('POST', '?connect=false', { name: 'S' })).status).toBe(400);
  expect((await ask('PATCH', '', {})).body).toMatchObject({ code: 'method_not_allowed' });
  expect((await ask('GET', '')).body).toEqual([]);
});

test('published items have names, ids and origins, and servers are made of them by either', async () => {
  const tools = await itemsOf('tools');
  const echo = tools.find(({ name }) => name === 'one_echo');
  expect(echo).toMatchObject({ originalName: 'echo', gatewaySlug: 'one', inputSchema: { type: 'object' } });
  expect(new Set(tools.map(({ id }) => id)).size).toBe(tools.length);
  expect((await itemsOf('prompts')).map(({ name }) => name)).toEqual(['one_greet', 'two_greet']);
  const resources = await itemsOf('resources');
  expect(resources.map(({ uri, uriTemplate }) => uri ?? uriTemplate)).toEqual([
    'test://text',
    'test://binary',
    'test://item/{id}',
  ]);
  const server = {
    name: 'Chosen',
    associated_tools: `${String(echo?.['id'])},two_add`,
    associated_resources: [resources[0]?.['id']],
  };
  const { body } = await ask('POST', '', { server, team_id: null, visibility: 'team' });
  expect(body).toMatchObject({
    gateways: ['one', 'two'],
    associatedTools: ['one_echo', 'two_add'],
    associatedPrompts: [],
    associatedResources: ['test://text'],
    visibility: 'team',
  });
  expect(body['associatedToolIds']).toEqual(
    ['one_echo', 'two_add'].map((name) => tools.find((tool) => tool['name'] === name)?.['id']),
  );
  expect((await ask('PUT', '/chosen', { associated_tools: ['two_echo'] })).body).toMatchObject({
    associatedTools: ['two_echo'],
    associatedResources: ['test://text'],
  });
});

test('whatever is sent is taken or refused, and never the gateway’s fault', async () => {
  const some = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('one', '*', ['echo'], [{ gateway: 'one' }]));
  const fields = fc.dictionary(fc.constantFrom('members', 'id', 'aliases', 'tags', 'associated_tools', 'server'), some);
  await fc.assert(
    fc.asyncProperty(
      fields,
      fc.dictionary(fc.constantFrom(...Object.keys(MEMBER_FIELDS)), some),
      async (top, member) => {
        for (const body of [{ name: 'Odd', ...top }, { name: 'Odd', members: [{ gateway: 'one', ...member }] }, top]) {
          const { status, body: answered } = await ask('POST', '', body);
          expect([201, 400, 409, 422], JSON.stringify(answered)).toContain(status);
          if (status === 201) expect((await ask('DELETE', `/${String(answered['id'])}`)).status).toBe(200);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('what is missing is told, and the server goes on without', async () => {
  const late = await startMcpUpstream({ toolsOnly: true });
  try {
    await gateway.register({ name: 'Late', url: late.url });
    const members = [{ gateway: 'one', tools: ['echo', 'gone', 'x*'], aliases: { a: 'lost' } }, { gateway: 'late' }];
    await ask('POST', '', { name: 'S', members });
    const item = { gateway: 'one', kind: 'tool', reason: 'the gateway does not list it' };
    const lost = [
      { ...item, name: 'gone' },
      { ...item, name: 'lost' },
    ];
    expect((await ask('GET', '/s')).body).toMatchObject({ gateways: ['one', 'late'], unresolved: lost });
    const away = { gateway: 'late', kind: 'gateway', name: null };
    await gateway.api('POST', '/v1/gateways/late/state?activate=false');
    expect((await ask('GET', '/s')).body).toMatchObject({
      gateways: ['one'],
      unresolved: [...lost, { ...away, reason: 'the gateway is not active' }],
    });
    await gateway.api('DELETE', '/v1/gateways/late');
    expect((await ask('GET', '/s')).body).toMatchObject({
      unresolved: [...lost, { ...away, reason: 'no gateway has this slug' }],
      associatedTools: ['one_echo'],
    });
    expect((await ask('PUT', '/s', { members })).status).toBe(200);
    await gateway.register({ name: 'Late', url: late.url });
    expect((await ask('GET', '/s')).body).toMatchObject({ gateways: ['one', 'late'], unresolved: lost });
  } finally {
    await gateway.api('DELETE', '/v1/gateways/late');
    await late.close();
  }
});
