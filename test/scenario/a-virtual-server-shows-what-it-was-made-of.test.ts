import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, postMessage, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

const ERAS = ['legacy', 'modern'] as const;
let crm: McpUpstream;
let erp: McpUpstream;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  crm = await startMcpUpstream({ name: 'crm', extraTools: ['find_customer', 'delete_customer'] });
  erp = await startMcpUpstream({ name: 'erp', extraTools: ['stock', 'find_order'] });
  gateway = await startGateway();
  token = await gateway.token('ann');
  await gateway.register({ name: 'crm', url: crm.url, tags: ['sales'] });
  await gateway.register({ name: 'erp', url: erp.url });
});
afterAll(async () => {
  await gateway.close();
  await crm.close();
  await erp.close();
});

const save = async (fields: object): Promise<Record<string, unknown>> => {
  const response = await gateway.api('POST', '/v1/servers', fields);
  const body = (await response.json()) as Record<string, unknown>;
  expect(response.status, JSON.stringify(body)).toBe(201);
  return body;
};
const open = (slug: string, era: (typeof ERAS)[number]) =>
  connectClient(`${gateway.url}/servers/${slug}/mcp`, token, era);
const calls = () => crm.requestsOf('tools/call').length + erp.requestsOf('tools/call').length;

test('explicit tools of two gateways and an alias are listed and called, in both eras, by slug and by id', async () => {
  const { id } = await save({
    name: 'Sales desk',
    members: [
      { gateway: 'crm', prefix: '', tools: ['find_customer'], prompts: [], resources: ['test://text'] },
      { gateway: 'erp', tools: ['echo'], prompts: ['greet'], resources: [], aliases: { in_stock: 'stock' } },
    ],
  });
  for (const era of ERAS) {
    const client = await open(era === 'legacy' ? 'sales-desk' : String(id), era);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['find_customer', 'erp_echo', 'in_stock']);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['erp_greet']);
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(['test://text']);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
    expect(textOf(await client.callTool({ name: 'find_customer', arguments: {} }))).toBe('find_customer');
    expect(textOf(await client.callTool({ name: 'in_stock', arguments: {} }))).toBe('stock');
    expect(textOf(await client.callTool({ name: 'erp_echo', arguments: { text: 'x' } }))).toBe('x');
    expect((await client.getPrompt({ name: 'erp_greet', arguments: { who: 'x' } })).messages).toHaveLength(1);
    expect((await client.readResource({ uri: 'test://text' })).contents).toHaveLength(1);
    await client.close();
  }
});

test('what is not shown is not there: nothing of it goes upstream', async () => {
  await save({
    name: 'Careful',
    members: [
      {
        gateway: 'crm',
        prefix: 'crm-',
        denyTools: ['delete_*'],
        denyPrompts: ['*'],
        denyResources: ['test://item/{id}', 'test://binary'],
        aliases: { customer: 'find_customer' },
      },
    ],
  });
  for (const era of ERAS) {
    const client = await open('careful', era);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain('customer');
    expect(names).toContain('crm-echo');
    expect(names.filter((name) => /delete|find/.test(name))).toEqual([]);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
    const before = crm.requests.length;
    const refused = { code: -32602, message: expect.stringContaining('nothing here is called') as string };
    for (const name of ['crm-delete_customer', 'crm-find_customer', 'delete_customer'])
      await expect(client.callTool({ name, arguments: {} })).rejects.toMatchObject(refused);
    await expect(client.getPrompt({ name: 'crm-greet', arguments: { who: 'x' } })).rejects.toMatchObject(refused);
    for (const uri of ['test://item/7', 'test://binary'])
      await expect(client.readResource({ uri })).rejects.toMatchObject(refused);
    const argument = { name: 'who', value: 'p' };
    for (const ref of [
      { type: 'ref/prompt', name: 'crm-greet' },
      { type: 'ref/resource', uri: 'test://item/{id}' },
    ] as const)
      await expect(client.complete({ ref, argument })).rejects.toMatchObject(refused);
    expect(crm.requests.length).toBe(before);
    await client.close();
  }
});

test('a server with one gateway and no rules passes messages through untouched', async () => {
  await save({ name: 'Just crm', members: [{ gateway: 'crm' }] });
  const client = await open('just-crm', 'modern');
  expect(client.getServerVersion()?.name).toBe('crm');
  expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'x' } }))).toBe('x');
  await client.close();
});

test('selectors follow gateways that are registered later', async () => {
  const late = await startMcpUpstream({ name: 'late', toolsOnly: true });
  try {
    await save({ name: 'By tag', members: [{ gateway: '*', tags: ['sales'], tools: ['echo'] }] });
    await save({ name: 'By slug', members: [{ gateway: 'crm-*', tools: ['echo'] }] });
    const namesAt = async (slug: string) => {
      const client = await open(slug, 'legacy');
      const { tools } = await client.listTools();
      await client.close();
      return tools.map(({ name }) => name);
    };
    expect(await namesAt('by-tag')).toEqual(['crm_echo']);
    expect(await namesAt('by-slug')).toEqual([]);
    await gateway.register({ name: 'crm late', url: late.url, tags: ['sales'] });
    expect(await namesAt('by-tag')).toEqual(['crm_echo', 'crm-late_echo']);
    expect(await namesAt('by-slug')).toEqual(['crm-late_echo']);
    await gateway.api('DELETE', '/v1/gateways/crm-late');
    expect(await namesAt('by-tag')).toEqual(['crm_echo']);
  } finally {
    await late.close();
  }
});

test('a collision is refused when saved, and both are named', async () => {
  const members = [
    { gateway: 'crm', prefix: '' },
    { gateway: 'erp', prefix: '' },
  ];
  const response = await gateway.api('POST', '/v1/servers', { name: 'Both', members });
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({
    code: 'name_taken',
    message: expect.stringMatching(/^echo .*echo of crm and echo of erp$/) as string,
    hint: expect.stringContaining('prefix') as string,
  });
  const alias = [{ gateway: 'crm', prefix: '', tools: ['echo'], aliases: { echo: 'find_customer' } }];
  expect((await gateway.api('POST', '/v1/servers', { name: 'Both', members: alias })).status).toBe(409);
  await save({ name: 'Both', members: [{ ...members[0], tools: ['echo'], prompts: [] }, { gateway: 'erp' }] });
  expect((await gateway.api('PUT', '/v1/servers/both', { members })).status).toBe(409);
});

test('names that are too long for clients are shortened, and lead back', async () => {
  const long = `look_up_the_customer_by_telephone_number_and_postcode_${'x'.repeat(30)}`;
  const wordy = await startMcpUpstream({ extraTools: [long, `${long}y`], toolsOnly: true });
  try {
    await gateway.register({ name: 'wordy', url: wordy.url });
    for (const era of ERAS) {
      const client = await connectClient(`${gateway.url}/mcp`, token, era);
      const names = (await client.listTools()).tools
        .map(({ name }) => name)
        .filter((name) => name.startsWith('wordy_look'));
      expect(names.map((name) => name.length)).toEqual([64, 64]);
      expect(new Set(names).size).toBe(2);
      for (const [index, name] of names.entries())
        expect(textOf(await client.callTool({ name, arguments: {} }))).toBe(long + 'y'.repeat(index));
      await client.close();
      const direct = await open('wordy', era);
      expect((await direct.listTools()).tools.map(({ name }) => name)).toContain(long);
      await direct.close();
    }
  } finally {
    await gateway.api('DELETE', '/v1/gateways/wordy');
    await wordy.close();
  }
});

test('without a name nothing is served: disabled, unknown and removed servers are not found', async () => {
  await save({ name: 'Brief', members: [{ gateway: 'crm' }] });
  const status = async (slug: string) =>
    (await postMessage(`${gateway.url}/servers/${slug}/mcp`, token, { jsonrpc: '2.0', id: 1, method: 'ping' })).status;
  expect(await status('brief')).toBe(200);
  expect(await (await gateway.api('POST', '/v1/servers/brief/state?activate=false')).json()).toMatchObject({
    enabled: false,
  });
  expect(await status('brief')).toBe(404);
  await gateway.api('POST', '/v1/servers/brief/state?activate=true');
  expect(await status('brief')).toBe(200);
  await gateway.api('DELETE', '/v1/servers/brief');
  expect(await status('brief')).toBe(404);
  expect(calls()).toBeGreaterThan(0);
});
