/** `postern connect`: clients that start a program and speak over its standard streams. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { StdioClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { POSTERN, startConnect } from '../support/connect-command.ts';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { fencesOf } from '../support/markdown.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { mintPki, keyForm } from '../support/pki.ts';
import { runPostern } from '../support/postern.ts';
import { call, initialize, modernCall, notify } from '../support/scripted-server.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { connectV1, connectV2, expectEverything, expectNotifications } from '../support/transport-client.ts';

let folder: TempFolder;
let upstream: McpUpstream;
let gateway: TestGateway;
let url: string;
let token: string;
const closing = closeAfterEach();

beforeAll(async () => {
  folder = await makeTempFolder();
  upstream = await startMcpUpstream();
  gateway = await startGateway();
  await gateway.register({ name: 'plain', url: upstream.url });
  url = `${gateway.url}/servers/plain/mcp`;
  token = await gateway.token('ann');
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
  await folder.remove();
});

const started = (): ReturnType<typeof startConnect> => startConnect([url], { POSTERN_TOKEN: token });
const commandFor = (...args: string[]) => ({
  command: POSTERN.command,
  args: [POSTERN.main, 'connect', ...args],
  env: { POSTERN_TOKEN: token },
});
const CLIENTS = {
  'SDK v1': () => connectV1(new TransportV1(commandFor(url))),
  'SDK v2, legacy': () => connectV2(new StdioClientTransport(commandFor(url)), 'legacy'),
  'SDK v2, modern': () => connectV2(new StdioClientTransport(commandFor(url)), 'modern'),
};

for (const [sdk, connect] of Object.entries(CLIENTS))
  test(`${sdk} does over it all that it does over Streamable HTTP, and leaves nothing`, async () => {
    const before = upstream.sessions;
    const client = await connect();
    await expectEverything(client, upstream);
    if (!sdk.endsWith('modern')) await expectNotifications(client, upstream);
    await client.close();
    await upstream.untilSessions(before);
  });

test('to a server that is no Postern', async () => {
  const client = await connectV2(new StdioClientTransport(commandFor(upstream.origin)), 'modern');
  await expectEverything(client, upstream);
  await client.close();
  // the address was given without a path
  expect(upstream.requests.at(-1)?.path).toBe('/mcp');
});

test('a script that says everything at once gets every answer before the end', async () => {
  const bridge = started();
  for (const message of [initialize, notify('notifications/initialized'), call(1), call(2)]) bridge.say(message);
  bridge.write(JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'ping' }));
  bridge.end();
  expect(await bridge.exited).toBe(0);
  const ids = bridge.lines.map((line) => (JSON.parse(line) as { id?: unknown }).id);
  expect(ids[0]).toBe('init');
  expect(new Set(ids)).toEqual(new Set(['init', 1, 2, 3]));
  expect(ids).toHaveLength(4);
  expect(bridge.stderr()).toBe('');
});

test('a subscription, which has no end of its own, does not keep it', async () => {
  const bridge = started();
  const { params } = modernCall(0);
  const filter = { notifications: { toolsListChanged: true }, _meta: params._meta };
  bridge.say({ jsonrpc: '2.0', id: 'sub', method: 'subscriptions/listen', params: filter });
  expect(await bridge.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
  bridge.end();
  expect(await bridge.exited).toBe(0);
  expect(await bridge.next()).toMatchObject({ id: 'sub', error: { data: { code: 'shutting_down' } } });
}, 15_000);

test('lines that are no messages are answered with errors without an id, and it goes on', async () => {
  const bridge = started();
  bridge.write('{\n\n[]\r\nnonsense\n');
  bridge.write(`"${'x'.repeat(16 * 1024 * 1024)}"\n`);
  const errors = [await bridge.next(), await bridge.next(), await bridge.next(), await bridge.next()];
  expect(errors.map(({ id, error }) => [id, (error as { data: { code: string } }).data.code])).toEqual([
    [null, 'request_invalid'],
    [null, 'request_invalid'],
    [null, 'request_invalid'],
    [null, 'request_too_large'],
  ]);
  bridge.say(modernCall(1));
  expect(await bridge.next()).toMatchObject({ id: 1, result: {} });
  bridge.end();
  expect(await bridge.exited).toBe(0);
});

test('a message that comes byte by byte is one message', async () => {
  const bridge = started();
  const { params } = modernCall(1);
  const message = { ...modernCall(1), params: { ...params, arguments: { text: 'naïve 😀' } } };
  for (const byte of Buffer.from(`${JSON.stringify(message)}\n`)) {
    bridge.write(Uint8Array.of(byte));
    await new Promise(setImmediate);
  }
  expect(await bridge.next()).toMatchObject({ id: 1, result: { content: [{ text: 'naïve 😀' }] } });
  bridge.end();
  await bridge.exited;
});

test('a refused token ends it with a line that says so, and every request with an error', async () => {
  const bridge = startConnect([url, '--token', 'forged']);
  for (const id of [1, 2]) bridge.say(modernCall(id));
  expect(await bridge.exited).toBe(1);
  const answers = bridge.lines.map((line) => JSON.parse(line) as { id: number; error: { data: { code: string } } });
  expect(new Map(answers.map(({ id, error }) => [id, error.data.code]))).toEqual(
    new Map([1, 2].map((id) => [id, 'unauthenticated'])),
  );
  expect(bridge.stderr()).toMatch(/^postern connect: the token is malformed \(unauthenticated\)\n/);
  expect(bridge.stderr()).not.toContain('forged');
});

test('an address where nobody listens, or nothing is, ends it as well', async () => {
  const nobody = startConnect([`http://127.0.0.1:${await freePort()}`]);
  nobody.say(initialize);
  expect(await nobody.exited).toBe(1);
  expect(JSON.parse(nobody.lines[0] ?? '')).toMatchObject({ id: 'init', error: { data: { code: 'tcp_refused' } } });
  expect(nobody.stderr()).toMatch(/^postern connect: .*\(tcp_refused\)\n/);
  const nothing = startConnect([`${gateway.url}/servers/none/mcp`], { POSTERN_TOKEN: token });
  nothing.say(initialize);
  expect(await nothing.exited).toBe(1);
  expect(nothing.stderr()).toMatch(/^postern connect: no active server has this name \(not_found\)\n/);
  const other = createServer((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<'));
  await new Promise<void>((ready) => other.listen(0, '127.0.0.1', ready));
  closing.push(() => other.close());
  const page = startConnect([`http://127.0.0.1:${(other.address() as AddressInfo).port}/`]);
  page.say(initialize);
  expect(await page.next()).toMatchObject({ id: 'init', error: { data: { code: 'upstream_protocol' } } });
  page.end();
  await page.exited;
  expect(page.stderr()).toContain('expected an MCP answer, met status 200 with text/html (upstream_protocol)');
});

test('a token file is read again, so that a new token is used without a new start', async () => {
  const file = join(folder.path, 'token');
  await writeFile(file, `${token}\n`);
  const bridge = startConnect([url, '--token-file', file]);
  bridge.say(modernCall(1));
  expect(await bridge.next()).toMatchObject({ id: 1, result: {} });
  await writeFile(file, 'forged');
  bridge.say(modernCall(2));
  expect(await bridge.next()).toMatchObject({ id: 2, error: { data: { code: 'unauthenticated' } } });
  expect(await bridge.exited).toBe(1);
});

test('a gateway that restarts meanwhile is found again, its session opened anew', async () => {
  const port = await freePort();
  const server = await startMcpUpstream({ port, era: 'legacy' });
  const bridge = startConnect([server.url]);
  bridge.say(initialize);
  bridge.say(notify('notifications/initialized'));
  await bridge.next();
  await server.untilSessions(1);
  await server.close();
  bridge.say(call(9));
  expect(await bridge.next()).toMatchObject({ id: 9, error: { data: { code: 'tcp_refused' } } });
  const again = await startMcpUpstream({ port, era: 'legacy' });
  closing.push(() => again.close());
  bridge.say(call(1));
  expect(await bridge.next()).toMatchObject({ id: 1, result: { content: [{ type: 'text' }] } });
  expect(again.requestsOf('initialize')).toHaveLength(1);
  bridge.end();
  expect(await bridge.exited).toBe(0);
  await again.untilSessions(0);
});

test('to a gateway that demands a client certificate, with a key that has a password', async () => {
  const pki = await mintPki();
  const ca = await pki.ca('CA');
  const server = await ca.issue({ cn: 'gateway', ip: ['127.0.0.1'], eku: 'server' });
  const client = await ca.issue({ cn: 'desktop', eku: 'client' });
  const strict = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true },
  });
  closing.push(() => strict.close());
  const path = (name: string) => join(folder.path, name);
  await writeFile(path('ca.crt'), ca.pem);
  await writeFile(path('client.crt'), client.chainPem);
  await writeFile(path('client.key'), keyForm(client.keyPem, { passphrase: 'open sesame' }));
  const flags = ['--ca', path('ca.crt'), '--cert', path('client.crt'), '--key', path('client.key')];
  const bridge = startConnect([strict.url, ...flags], { POSTERN_CLIENT_KEY_PASSWORD: 'open sesame' });
  bridge.say(modernCall(1));
  expect(await bridge.next()).toMatchObject({ id: 1, result: {} });
  expect(strict.requests.at(-1)?.clientSubject).toBe('desktop');
  bridge.end();
  expect(await bridge.exited).toBe(0);

  const wrong = startConnect([strict.url, ...flags], { POSTERN_CLIENT_KEY_PASSWORD: 'guess' });
  expect(await wrong.exited).toBe(1);
  expect(wrong.stderr()).toContain('(key_passphrase_wrong)');
  const bare = startConnect([strict.url, '--ca', path('ca.crt')]);
  bare.say(modernCall(1));
  expect(await bare.exited).toBe(1);
  expect(bare.stderr()).toMatch(/\((?:tls_client_certificate_\w+|connection_lost)\)/);
  const distrustful = startConnect([strict.url]);
  distrustful.say(modernCall(1));
  expect(await distrustful.exited).toBe(1);
  expect(distrustful.stderr()).toContain('(tls_unknown_ca)');
  expect([wrong, bare, distrustful].flatMap(({ lines }) => lines.map((line) => JSON.parse(line)))).toHaveLength(2);
});

test('a signal ends it at once, and so does a client that reads no more', async () => {
  const [killed, unread] = [started(), started()];
  for (const bridge of [killed, unread]) {
    bridge.say(modernCall(1));
    await bridge.next();
    bridge.say(modernCall(2, 'hold'));
  }
  await upstream.untilHeld(2);
  killed.signal('SIGTERM');
  expect(await killed.exited).toBe(0);
  expect(killed.lines.slice(1).map((line) => JSON.parse(line))).toMatchObject([{ id: 2, error: {} }]);
  unread.dropOutput();
  upstream.release();
  expect(await unread.exited).toBe(0);
  await expect.poll(() => upstream.held).toBe(0);
});

test('what is wrong with the command line or a file goes to standard error only', async () => {
  const [nonsense, missing] = await Promise.all([
    runPostern(['connect', 'localhost:4444'], { cwd: folder.path }),
    runPostern(['connect', url, '--token-file', 'none'], { cwd: folder.path }),
  ]);
  expect([nonsense?.code, nonsense?.stdout]).toEqual([2, '']);
  expect(nonsense?.stderr).toContain('expected a URL that begins with http:// or https://');
  expect([missing?.code, missing?.stdout]).toEqual([1, '']);
  expect(missing?.stderr).toContain('(file_refused)');
});

test('the configuration docs/connect.md shows for Claude Desktop starts it', async () => {
  const document = readFileSync(resolve(import.meta.dirname, '../../docs/connect.md'), 'utf8');
  const shown = fencesOf(document).find(({ text }) => text.includes('mcpServers'));
  const config = JSON.parse(shown?.text ?? '') as {
    mcpServers: Record<string, { command: string; args: string[]; env: Record<string, string> }>;
  };
  const [server] = Object.values(config.mcpServers);
  expect([server?.command, server?.args[0], server?.env['POSTERN_TOKEN']]).toEqual(['postern', 'connect', 'TOKEN']);
  const args = (server?.args ?? []).map((argument) => (URL.canParse(argument) ? gateway.url : argument));
  const transport = new TransportV1({
    command: POSTERN.command,
    args: [POSTERN.main, ...args],
    env: { ...server?.env, POSTERN_TOKEN: token },
  });
  const client = await connectV1(transport);
  expect(await client.call('plain_echo', { text: 'hello' })).toBe('hello');
  await client.close();
});
