/** What README.md and docs/ show is done as it stands there: commands, outputs, examples, flags. */
import { readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { demoCommand } from '../../adapters/node-compat/cli/demo.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/gateway.ts';
import { codeSpansOf, fencesOf, rowsOf, sectionOf } from '../support/markdown.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import { runPostern } from '../support/postern.ts';
import { openShell } from '../support/shell.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const readme = read('README.md');
/** Beside README.md. */
const DOCUMENTS = ['ARCHITECTURE.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].concat(
  readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
);
/** Documents whose commands are run, or whose examples are tried, by a test of their own or one that reads them. */
const TRIED_ELSEWHERE = new Set(
  readdirSync(import.meta.dirname)
    .flatMap((name) => /^the-(\w+)-document-is-true\.test\.ts$/.exec(name)?.[1] ?? [])
    .concat('connect', 'gateways', 'metrics', 'servers')
    .map((name) => `docs/${name}.md`),
);
const ADDRESS = 'http://127.0.0.1:4444';

let folder: TempFolder;
const closing = closeAfterEach();
beforeEach(async () => {
  folder = await makeTempFolder();
  closing.push(() => folder.remove());
});

/** What a checkout needs to run, in a folder where commands may write. */
function linkCheckout(into: string): void {
  for (const name of ['package.json', 'node_modules', 'src', 'adapters'])
    symlinkSync(join(ROOT, name), join(into, name));
}

test('the quick start of README works as written, and prints what README shows', async () => {
  linkCheckout(folder.path);
  const serverPort = await freePort();
  const shell = openShell(folder.path, { PORT: '0' });
  let url = ADDRESS;
  const adapted = (text: string) =>
    text.replaceAll('localhost:8443', `localhost:${serverPort}`).replaceAll(ADDRESS, url);
  const outputs: string[] = [];

  for (const { language, text } of fencesOf(sectionOf(readme, 'Quick start'))) {
    const last = outputs.at(-1) ?? '';
    if (language === 'json') expect(JSON.parse(last.replaceAll(url, ADDRESS))).toEqual(JSON.parse(text));
    else if (text.includes('demo -- --server')) {
      const { interrupt } = await shell.start(`${text.trimEnd()} --port ${serverPort}`, (line) =>
        line.includes('listens on'),
      );
      closing.push(interrupt);
    } else if (text.startsWith('npm start')) {
      const { printed, ended } = await shell.start(text, (line) => line.startsWith('{'));
      closing.push(async () => {
        process.kill(Number(await readFile(join(folder.path, 'data/postern.pid'), 'utf8')));
        await ended;
      });
      outputs.push(printed);
      ({ url } = JSON.parse(printed) as { url: string });
    } else outputs.push(await shell.run(adapted(text)));
  }

  const all = outputs.join('\n');
  expect(all).toMatch(/^ok: true$/m);
  expect(all).toMatch(/"name":"archive".*"reachable":true/);
  expect(all).toContain('{"type":"text","text":"mcp-gateway-client"}');
}, 60_000);

test('what README shows to clients is the address, and its configuration is JSON', () => {
  const [clients, code] = fencesOf(sectionOf(readme, 'Clients'));
  const commands = (clients?.text ?? '').split('\n$ ');
  expect(commands.map((command) => /^(?:\$ )?(\w+)/.exec(command)?.[1])).toEqual(['npm', 'claude', 'npx']);
  for (const command of commands.slice(1)) {
    expect(command).toContain(`${ADDRESS}/mcp`);
    expect(command).toContain('"Authorization: Bearer TOKEN"');
  }
  const config = JSON.parse(code?.text ?? '') as { servers: unknown; inputs: { id: string }[] };
  const headers = { Authorization: `Bearer \${input:${config.inputs[0]?.id}}` };
  expect(config.servers).toEqual({ postern: { type: 'http', url: `${ADDRESS}/mcp`, headers } });
});

test('the demo prints what README shows of it', async () => {
  const lines: string[] = [];
  const print = lines.push.bind(lines);
  const io = { out: print, err: print, env: process.env, cwd: folder.path, runtime: NODE };
  expect(await demoCommand([], io), lines.join('\n')).toBe(0);
  const withoutNumbers = (text: string) => text.replaceAll(/\d+/g, '0');
  const printed = new Set(withoutNumbers(lines.join('\n')).split('\n'));
  const report = fencesOf(readme).find(({ language }) => language === 'text');
  const shown = withoutNumbers(report?.text ?? '')
    .trimEnd()
    .split('\n');
  expect(shown.length).toBeGreaterThan(10);
  expect(shown.filter((line) => !printed.has(line))).toEqual([]);
});

test('every example of docs/gateways.md is taken', async () => {
  const ca = await (await mintPki()).ca('CA');
  const client = await ca.issue({ cn: 'client', eku: 'client' });
  const files = {
    'ca.crt': ca.pem,
    'ca.crl': await ca.crl([]),
    'client.crt': client.chainPem,
    'client.key': client.keyPem,
  };
  for (const name of ['warehouse', 'ledger']) {
    await mkdir(join(folder.path, name));
    for (const [file, text] of Object.entries({ ...files, '2027.crt': client.chainPem, '2027.key': client.keyPem }))
      await writeFile(join(folder.path, name, file), text);
  }
  const gateway = await startGateway({ settings: { POSTERN_CERT_DIRS: folder.path, POSTERN_STDIO_COMMANDS: 'node' } });
  closing.push(() => gateway.close());
  const pem = (member: string, value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    if (value.includes('…'))
      return value.includes('KEY') ? client.keyPem : member === 'client_cert' ? client.chainPem : ca.pem;
    return value.replace('/etc/postern/certs', folder.path);
  };
  const answers: number[] = [];
  for (const { text } of fencesOf(read('docs/gateways.md'))) {
    const body = JSON.parse(text, pem) as { readonly name?: string };
    const isChange = body.name === undefined;
    // inactive, or a change of how it is reached would dial it
    if (isChange) await gateway.api('POST', '/v1/gateways/warehouse/state?activate=false');
    else await gateway.api('DELETE', `/v1/gateways/${body.name}`);
    const response = isChange
      ? await gateway.api('PUT', '/v1/gateways/warehouse', body)
      : await gateway.api('POST', '/v1/gateways?connect=false', body);
    expect(response.status, `${text}${await response.text()}`).toBe(200);
    answers.push(response.status);
  }
  expect(answers).toHaveLength(6);
});

test('every example of docs/servers.md is taken', async () => {
  const upstream = await startMcpUpstream();
  closing.push(() => upstream.close());
  const names = ['find_customer', 'list_customers', 'echo', 'stock_query_v2', 'balance', 'delete_customer', 'drop_all'];
  const tools = names.map((name) => ({ name, inputSchema: { type: 'object' } }));
  upstream.intercept = ({ rpcMethod, rpcId }) =>
    rpcMethod === 'tools/list'
      ? Response.json({ jsonrpc: '2.0', id: rpcId, result: { resultType: 'complete', tools } })
      : undefined;
  const gateway = await startGateway();
  closing.push(() => gateway.close());
  for (const name of ['crm', 'erp', 'ledger']) await gateway.register({ name, url: upstream.url, tags: ['office'] });
  const statuses: number[] = [];
  for (const { text } of fencesOf(read('docs/servers.md'))) {
    const body = JSON.parse(text) as { name?: string; server?: { name: string } };
    const response = await gateway.api('POST', '/v1/servers', body);
    const saved = (await response.json()) as { slug: string; unresolved: unknown };
    expect([response.status, saved.unresolved], `${text}${JSON.stringify(saved)}`).toEqual([201, []]);
    statuses.push(response.status);
    await gateway.api('DELETE', `/v1/servers/${saved.slug}`);
  }
  expect(statuses).toHaveLength(4);
});

test('every command and flag that is named exists, and what is said not to exist does not', async () => {
  const helps = new Map<string, Promise<string>>();
  const helpOf = (command: string): Promise<string> => {
    const help =
      helps.get(command) ??
      runPostern([command, '--help'], { cwd: folder.path }).then(({ code, stdout }) => (code === 0 ? stdout : ''));
    helps.set(command, help);
    return help;
  };
  const missing = sectionOf(readme, 'Not yet');
  const unknown = rowsOf(missing).find(([, today]) => today?.startsWith('unknown commands'))?.[0] ?? '';
  const notYet = codeSpansOf(unknown).map((span) => span.replace('postern ', ''));
  expect(notYet).toContain('doctor');
  for (const command of notYet) expect([command, await helpOf(command)]).toEqual([command, '']);

  const texts = [readme.replace(missing, ''), ...DOCUMENTS.map(read)];
  const wrong: string[] = [];
  for (const span of texts.flatMap(codeSpansOf).filter((text) => /^postern [a-z]/.test(text))) {
    const [, command = '', ...words] = span.split(' ');
    const help = await helpOf(command);
    if (help === '' || words.some((word) => /^(?:--)?[a-z]/.test(word) && !help.includes(word))) wrong.push(span);
  }
  expect(wrong).toEqual([]);

  const everyHelp = (
    await Promise.all(
      [
        'serve',
        'gateways',
        'servers',
        'policy',
        'import',
        'export',
        'certs',
        'token',
        'tokens',
        'connect',
        'rotate',
        'vault',
        'audit',
      ].map(helpOf),
    )
  ).join('\n');
  // flags of Deno, Bun and the local workerd are tried by the-runtimes-document-is-true.test.ts
  const flags = [readme, ...texts]
    .flatMap(codeSpansOf)
    .filter((span) => /^--(?!allow-|unstable-kv$|bun$|trust$|mtls-certificate$)[a-z-]+$/.test(span));
  expect(flags.filter((flag) => !everyHelp.includes(`${flag} `))).toEqual([]);
});

test('nothing else is shown as a command', () => {
  const [first, ...others] = fencesOf(readme).filter(({ language }) => language === 'sh');
  expect(first?.text.split('\n').map((line) => line.split('#')[0]?.trim())).toEqual([
    'npm ci && npm run demo',
    'npm ci && npm test',
    '',
  ]);
  const quickStart = fencesOf(sectionOf(readme, 'Quick start')).filter(({ language }) => language === 'sh');
  expect(others).toEqual(quickStart);
  for (const path of DOCUMENTS.filter((name) => !TRIED_ELSEWHERE.has(name)))
    expect([path, fencesOf(read(path))]).toEqual([path, []]);
});
