import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { openImportShell, outcomes } from '../support/import-command.ts';
import type { ImportShell } from '../support/import-command.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream, McpUpstreamOptions } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import { NODE_ALLOWED, stdioFields } from '../support/stdio-upstream.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { UsageError } from '../../adapters/node-compat/cli/arguments.ts';

const closing = closeAfterEach();
let gateway: TestGateway;
let shell: ImportShell;
let folder: string;
beforeEach(async () => {
  const temp = await makeTempFolder();
  folder = temp.path;
  closing.push(temp.remove);
  gateway = await startGateway({ settings: NODE_ALLOWED });
  closing.push(() => gateway.close());
  shell = await openImportShell(gateway, folder);
});

async function upstream(options: McpUpstreamOptions = {}): Promise<McpUpstream> {
  const server = await startMcpUpstream(options);
  closing.push(() => server.close());
  return server;
}

/** A server that answers to nobody without a token. */
async function guarded(token: string): Promise<McpUpstream> {
  const server = await upstream();
  server.intercept = ({ headers }) =>
    headers.authorization === `Bearer ${token}` ? undefined : new Response(null, { status: 401 });
  return server;
}

async function call(name: string, args: Record<string, unknown>): Promise<string | undefined> {
  const client = await connectClient(`${gateway.url}/mcp`, await gateway.token('ann'), 'legacy');
  try {
    return textOf(await client.callTool({ name, arguments: args }));
  } finally {
    await client.close();
  }
}

const gateways = async () =>
  (await (await gateway.api('GET', '/v1/gateways?include_inactive=true')).json()) as object[];

test('a file of Claude: what can be imported is, what is missing is named and supplied, and tools can be called', async () => {
  const ca = await (await mintPki()).ca('upstream CA');
  const certificate = await ca.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' });
  const own = await ca.issue({ cn: 'postern', eku: 'client' });
  const tls = { cert: certificate.chainPem, key: certificate.keyPem, ca: ca.pem, requireClientCertificate: true };
  const [remote, withVariable, strict] = [
    await guarded('canary-1'),
    await guarded('canary-2'),
    await upstream({ tls }),
  ];
  await shell.write(
    'claude.json',
    `{
      // what I use
      "mcpServers": {
        "far": {
          "command": "npx",
          "args": ["-y", "mcp-remote@latest", "${remote.url}", "--header", "Authorization: Bearer \${TOKEN}", "--allow-http"],
          "env": { "TOKEN": "canary-1" },
        },
        "near": { "type": "http", "url": "${withVariable.url}", "headers": { "Authorization": "Bearer \${NEAR_TOKEN}" } },
        "strict": { "type": "http", "url": "https://localhost:${strict.port}/mcp" },
        "old": { "type": "sse", "url": "${remote.url}", "disabled": true },
      },
    }`,
  );

  const dry = await shell.report(['claude.json', '--dry-run']);
  expect([dry.code, outcomes(dry)]).toEqual([
    2,
    { far: 'imported', near: 'missing', strict: 'imported', old: 'imported' },
  ]);
  expect(await gateways()).toEqual([]);

  const first = await shell.report(['claude.json']);
  expect([first.code, outcomes(first)]).toEqual([
    2,
    { far: 'imported', near: 'missing', strict: 'failed', old: 'imported' },
  ]);
  expect(first.entries.map(({ error }) => error?.code)).toContain('tls_unknown_ca');
  expect(await call('far_echo', { text: 'over there' })).toBe('over there');
  expect(await gateways()).toMatchObject([{ slug: 'far' }, { slug: 'old', enabled: false, transport: 'SSE' }]);

  await shell.write('ca.pem', ca.pem);
  await shell.write('cert.pem', own.chainPem);
  await shell.write('key.pem', own.keyPem);
  const files = ['ca_certificate=ca.pem', 'client_cert=cert.pem', 'client_key=key.pem'];
  const supplied = files.flatMap((file) => ['--input-file', `strict.${file}`]);
  const second = await shell.report(['claude.json', ...supplied], { NEAR_TOKEN: 'canary-2' });
  expect([second.code, outcomes(second)]).toEqual([
    0,
    { far: 'unchanged', near: 'imported', strict: 'imported', old: 'unchanged' },
  ]);
  expect(await call('near_echo', { text: 'with a variable' })).toBe('with a variable');
  expect(await call('strict_echo', { text: 'with a certificate' })).toBe('with a certificate');
  expect(strict.requests.at(-1)?.clientSubject).toBe('postern');

  const text = await shell.import(['claude.json', ...supplied], { NEAR_TOKEN: 'canary-2' });
  expect([text.code, text.out]).toEqual([0, expect.stringContaining('4 entries of mcpServers: 4 unchanged')]);
  expect(text.out).toMatch(/auth +bearer from \$NEAR_TOKEN$/m);
  expect(shell.printed()).not.toMatch(/canary/);
  expect(shell.printed()).not.toContain(own.keyPem.split('\n')[1]);
});

test('a file of VS Code with inputs, and a program beside a server', async () => {
  const server = await guarded('canary');
  const { command, args } = stdioFields() as { command: string; args: readonly string[] };
  await shell.write('mcp.json', {
    inputs: [{ type: 'promptString', id: 'pat', description: 'a token', password: true }],
    servers: {
      web: { type: 'http', url: server.url, headers: { Authorization: 'Bearer ${input:pat}' } },
      program: { type: 'stdio', command, args, cwd: '${workspaceFolder}' },
    },
  });
  const without = await shell.import(['mcp.json', '--dry-run']);
  expect([without.code, without.out]).toEqual([2, expect.stringContaining('the input pat (a token) has no value')]);
  await expect(shell.import(['mcp.json', '--input', 'pta=x'])).rejects.toBeInstanceOf(UsageError);

  const { code, counts } = await shell.report(['mcp.json', '--input', 'pat=canary']);
  expect([code, counts]).toEqual([0, { imported: 2 }]);
  expect(await call('web_echo', { text: 'web' })).toBe('web');
  expect(await call('program_echo', { text: 'program' })).toBe('program');
  expect(JSON.parse((await call('program_process', {})) ?? '')).toMatchObject({ cwd: folder });
  expect(shell.printed()).not.toContain('canary');
});

test('a program the gateway may not start is named with the setting that would allow it', async () => {
  await shell.write('mcp.json', { mcpServers: { files: { command: 'uvx', args: ['mcp-server-git'] } } });
  const { code, out } = await shell.import(['mcp.json']);
  expect([code, out]).toEqual([2, expect.stringContaining('command_not_allowed')]);
  expect(out).toContain('POSTERN_STDIO_COMMANDS');
});

test('what is registered already stays, unless it is to be replaced', async () => {
  const [before, after] = [await upstream(), await upstream()];
  await gateway.register({ name: 'one', url: before.url, description: 'kept' });
  await shell.write('mcp.json', { mcpServers: { one: { url: after.url } } });
  expect(outcomes(await shell.report(['mcp.json']))).toEqual({ one: 'exists' });
  expect(await gateways()).toMatchObject([{ url: before.url }]);
  expect(outcomes(await shell.report(['mcp.json', '--replace', '--dry-run']))).toEqual({ one: 'replaced' });
  expect(await gateways()).toMatchObject([{ url: before.url }]);
  expect(outcomes(await shell.report(['mcp.json', '--replace']))).toEqual({ one: 'replaced' });
  expect(await gateways()).toMatchObject([{ url: after.url, description: 'kept' }]);
  expect(outcomes(await shell.report(['mcp.json', '--replace']))).toEqual({ one: 'unchanged' });

  await shell.write('mcp.json', { mcpServers: { one: { url: after.url, disabled: true } } });
  expect(outcomes(await shell.report(['mcp.json', '--replace']))).toEqual({ one: 'replaced' });
  expect(await gateways()).toMatchObject([{ enabled: false }]);
  await shell.write('mcp.json', { mcpServers: { one: { url: before.url } } });
  await shell.report(['mcp.json', '--replace']);
  expect(await gateways()).toMatchObject([{ url: before.url, enabled: true }]);
});

test('without connecting, what cannot be reached is registered all the same', async () => {
  await shell.write('mcp.json', { mcpServers: { away: { url: 'http://127.0.0.1:9/mcp' } } });
  expect(await shell.report(['mcp.json'])).toMatchObject({ code: 2, entries: [{ error: { code: 'tcp_refused' } }] });
  expect(outcomes(await shell.report(['mcp.json', '--no-connect']))).toEqual({ away: 'imported' });
  expect(await gateways()).toMatchObject([{ slug: 'away', status: 'pending' }]);
});

test('a file of no known format is refused with what was expected', async () => {
  await shell.write('other.json', { openapi: '3.1.0' });
  await expect(shell.import(['other.json'])).rejects.toMatchObject({
    code: 'import_unreadable',
    hint: expect.stringContaining('mcpServers'),
  });
  await expect(shell.import(['nothing.json'])).rejects.toMatchObject({ code: 'file_refused' });
});
