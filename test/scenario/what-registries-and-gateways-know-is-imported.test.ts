import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { openImportShell, outcomes } from '../support/import-command.ts';
import type { ImportShell } from '../support/import-command.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream, McpUpstreamOptions } from '../support/mcp-upstream.ts';
import { NODE_ALLOWED, stdioFields } from '../support/stdio-upstream.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const closing = closeAfterEach();
let gateway: TestGateway;
let shell: ImportShell;
beforeEach(async () => {
  ({ gateway, shell } = await open());
});

/** A gateway, and a shell in a folder of its own that speaks to it. */
async function open(): Promise<{ gateway: TestGateway; shell: ImportShell }> {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const opened = await startGateway({ settings: NODE_ALLOWED });
  closing.push(() => opened.close());
  return { gateway: opened, shell: await openImportShell(opened, folder.path) };
}

async function upstream(options: McpUpstreamOptions = {}): Promise<McpUpstream> {
  const server = await startMcpUpstream(options);
  closing.push(() => server.close());
  return server;
}

async function toolsAt(at: TestGateway, path: string): Promise<string[]> {
  const client = await connectClient(at.url + path, await at.token('ann'), 'legacy');
  try {
    return (await client.listTools()).tools.map(({ name }) => name).toSorted();
  } finally {
    await client.close();
  }
}

async function echo(at: TestGateway, tool: string, path = '/mcp'): Promise<string | undefined> {
  const client = await connectClient(at.url + path, await at.token('ann'), 'modern');
  try {
    return textOf(await client.callTool({ name: tool, arguments: { text: tool } }));
  } finally {
    await client.close();
  }
}

test('a server.json: a remote with a header, after what it needs was given', async () => {
  const server = await upstream();
  server.intercept = ({ headers }) =>
    headers['x-api-key'] === 'canary' ? undefined : new Response(null, { status: 403 });
  await shell.write('server.json', {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: 'io.github.ann/weather',
    description: 'Weather',
    version: '1.0.0',
    remotes: [
      {
        type: 'streamable-http',
        url: 'http://{host}/mcp',
        variables: { host: { isRequired: true } },
        headers: [{ name: 'X-API-Key', isRequired: true, isSecret: true, description: 'your key' }],
      },
    ],
  });
  const without = await shell.import(['server.json', '--dry-run']);
  expect([without.code, without.out]).toEqual([2, expect.stringContaining('X-API-Key (your key) has no value')]);
  await shell.write('key', 'canary\n');
  const given = ['--input', `host=${server.host}`, '--input-file', 'X-API-Key=key'];
  expect(await shell.report(['server.json', ...given])).toMatchObject({
    code: 0,
    format: 'server.json',
    entries: [{ source: 'io.github.ann/weather', name: 'weather', status: 'imported', toolCount: expect.any(Number) }],
  });
  expect(await echo(gateway, 'weather_echo')).toBe('weather_echo');
  expect(shell.printed()).not.toContain('canary');
});

test('an export of ContextForge: gateways, virtual servers under their addresses, and what is left is counted', async () => {
  const [plain, sealed] = [await upstream({ extraTools: ['find_order'] }), await upstream()];
  sealed.intercept = ({ headers }) =>
    headers.authorization === 'Bearer canary' ? undefined : new Response(null, { status: 401 });
  await shell.write('export.json', {
    version: '2025-11-25',
    encryption_method: 'AES-256-GCM',
    entities: {
      tools: [{ name: 'rest', integration_type: 'REST', url: 'https://example.com' }],
      gateways: [
        { name: 'Up Plain', url: plain.url, transport: 'STREAMABLEHTTP', is_active: true, tags: [] },
        {
          name: 'Sealed',
          url: sealed.url,
          transport: 'STREAMABLEHTTP',
          auth_type: 'bearer',
          auth_value: 'djE6c2VhbGVk',
        },
      ],
      servers: [
        {
          name: 'Order desk',
          tool_ids: ['up-plain-find-order', 'up-plain-echo'],
          sse_endpoint: '/servers/0b6e1f9c2d/sse',
          is_active: true,
        },
        { name: 'Both', tool_ids: ['up-plain-echo', 'sealed-echo'], sse_endpoint: '/servers/77/sse', is_active: true },
      ],
      prompts: [{ name: 'p', template: 't' }],
    },
  });
  const first = await shell.report(['export.json']);
  expect([first.code, outcomes(first)]).toEqual([
    2,
    { 'Up Plain': 'imported', Sealed: 'missing', 'Order desk': 'imported', Both: 'missing' },
  ]);
  expect(first.entries[1]?.problems).toMatchObject([{ kind: 'secret', name: 'Sealed.auth_token' }]);
  expect(first.leftOut).toMatchObject([
    { what: 'tools', count: 1 },
    { what: 'prompts', count: 1 },
  ]);
  // the id its clients have in their addresses, and the tools by the names they really have
  expect(await toolsAt(gateway, '/servers/0b6e1f9c2d/mcp')).toEqual(['echo', 'find_order']);
  expect(await toolsAt(gateway, '/servers/order-desk/mcp')).toEqual(['echo', 'find_order']);

  await shell.write('token', 'canary');
  const second = await shell.report(['export.json', '--input-file', 'Sealed.auth_token=token']);
  expect([second.code, outcomes(second)]).toEqual([
    0,
    { 'Up Plain': 'unchanged', Sealed: 'imported', 'Order desk': 'exists', Both: 'imported' },
  ]);
  expect(await toolsAt(gateway, '/servers/77/mcp')).toEqual(['sealed_echo', 'up-plain_echo']);
  const { out } = await shell.import(['export.json']);
  expect(out).toContain('not imported: tools (1): ');
  expect(shell.printed()).not.toContain('canary');
});

test('our own export is without secrets, and what is imported from it is the same elsewhere', async () => {
  const [open1, keyed] = [await upstream({ extraTools: ['stock'] }), await upstream()];
  keyed.intercept = ({ headers }) =>
    headers['x-key'] === 'canary-1' ? undefined : new Response(null, { status: 401 });
  await gateway.register({ name: 'Open', url: open1.url, prefix: '', tags: ['a'], passthrough_headers: ['X-Tenant'] });
  await gateway.register({
    name: 'Keyed',
    url: keyed.url,
    auth_type: 'authheaders',
    auth_headers: [{ key: 'X-Key', value: 'canary-1' }],
  });
  await gateway.register({ name: 'Program', ...stdioFields(), env: { SECRET: 'canary-2' } });
  await gateway.api('POST', '/v1/gateways/program/state?activate=false');
  const members = [
    { gateway: 'open', prefix: 'o_', tools: ['stock'] },
    { gateway: 'keyed', prompts: [], aliases: { say: 'echo' } },
  ];
  const made = await gateway.api('POST', '/v1/servers', { name: 'Desk', members, description: 'a desk' });
  const { id } = (await made.json()) as { id: string };

  const { code, out } = await shell.export();
  expect(code).toBe(0);
  expect(out).not.toContain('canary');
  await shell.write('backup.json', out);
  // what is exported is there
  expect(await shell.report(['backup.json'])).toMatchObject({ code: 0, counts: { unchanged: 4 } });

  const elsewhere = await open();
  await elsewhere.shell.write('backup.json', out);
  const lacking = await elsewhere.shell.report(['backup.json', '--dry-run']);
  expect([lacking.code, lacking.entries.flatMap(({ problems }) => problems.map(({ name }) => name))]).toEqual([
    2,
    ['Keyed.auth_headers.X-Key', 'Program.env.SECRET', 'keyed'],
  ]);
  const given = ['--input', 'Keyed.auth_headers.X-Key=canary-1', '--input', 'Program.env.SECRET=canary-2'];
  expect(await elsewhere.shell.report(['backup.json', ...given])).toMatchObject({ code: 0, counts: { imported: 4 } });
  expect(await toolsAt(elsewhere.gateway, `/servers/${id}/mcp`)).toEqual(await toolsAt(gateway, `/servers/${id}/mcp`));
  expect(await echo(elsewhere.gateway, 'say', '/servers/desk/mcp')).toBe('say');

  const withoutTime = (text: string): object => ({ ...(JSON.parse(text) as object), exportedAt: null });
  expect(withoutTime((await elsewhere.shell.export()).out)).toEqual(withoutTime(out));
  expect(elsewhere.shell.printed()).not.toContain('canary');
});
