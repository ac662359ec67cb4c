/**
 * `postern demo`: the product shown on itself, in a few seconds and without anything to install or configure.
 *
 * Owns the story; the pieces are beside it. Runs from a checkout: the MCP server it plays with is a development
 * dependency. Everything it claims it has just checked.
 */
import { ok } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { parseArguments, refusePositionals, textFlag, UsageError } from '../arguments.ts';
import type { CliIo } from '../io.ts';
import { startDemoGateway, type Answer, type DemoGateway } from './demo-gateway.ts';
import { mintDemoPki, type DemoPki, type PemIdentity } from './demo-pki.ts';
import { startDemoServer, type DemoServer } from './demo-server.ts';
import { serveDemoServer } from './serve-demo-server.ts';
import { volley, type Volley } from './volley.ts';

interface Scene {
  readonly io: CliIo;
  readonly pki: DemoPki;
  readonly server: DemoServer;
  readonly gateway: DemoGateway;
}

const HELP = `Usage: postern demo [--server DIR [--port PORT]]

Mints a PKI, starts an MCP server that demands client certificates and a gateway, registers one with the other, calls
tools, shows two refusals, and replaces the client certificate while calls run. Needs a checkout; leaves nothing behind.

  --server DIR  instead, serve that MCP server alone until Ctrl-C, with server.crt, server.key and ca.crt of this folder
  --port PORT   where it then listens on localhost (8443)`;

const SERVER_PORT = 8443;

/** Before and after the certificate is replaced, each. */
const CALLS = 200;

/** Runs the demo, or its server alone; resolves with the exit code, 0 only when everything was as it should be. */
export async function demoCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseArguments(argv, { server: { type: 'string' }, port: { type: 'string' } });
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  refusePositionals(parsed);
  const [folder, port] = [textFlag(parsed, 'server'), textFlag(parsed, 'port')];
  if (folder === undefined && port !== undefined) throw new UsageError('expected --server DIR beside --port');
  return folder === undefined ? playDemo(io) : serveDemoServer(folder, portOf(port), io);
}

/** @throws UsageError */
function portOf(text = String(SERVER_PORT)): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UsageError(`expected --port from 0 to 65535, met ${text}`);
}

async function playDemo(io: CliIo): Promise<number> {
  const startedMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'postern-demo-'));
  try {
    await playOn(folder, io);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    io.out(`\nAll as it should be, in ${seconds} s. Nothing of it is left behind.`);
    return 0;
  } catch (error) {
    io.err(`\nNot as it should be: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function playOn(folder: string, io: CliIo): Promise<void> {
  io.out('An MCP server that demands client certificates, called through Postern');

  const pki = await mintDemoPki();
  heading(io, 1, 'A private PKI, minted a moment ago');
  fact(io, 'authority', pki.authority);
  fact(io, 'server', `${pki.server.commonName}, valid for localhost`);
  fact(io, 'clients', `${pki.first.commonName}, ${pki.second.commonName}`);

  const { cert, key } = pki.server;
  const server = await startDemoServer({ cert, key, ca: pki.caCertificate });
  try {
    heading(io, 2, 'A strict MCP server: no certificate, no service');
    fact(io, 'listens on', `https://localhost:${server.port}/mcp`);

    const gateway = await startDemoGateway(folder, io.env['PATH'] ?? '');
    try {
      heading(io, 3, 'A gateway, in its own process');
      fact(io, 'ready at', `${gateway.url} after ${gateway.readyMs.toFixed(0)} ms`);
      await play({ io, pki, server, gateway });
    } catch (error) {
      io.err(gateway.lastLog());
      throw error;
    } finally {
      const code = await gateway.stop();
      ok(code === 0, `the gateway ended with ${code} after SIGTERM`);
    }
  } finally {
    await server.close();
  }
}

async function play(scene: Scene): Promise<void> {
  const { io, pki, server, gateway } = scene;

  heading(io, 4, 'Registered without a client certificate: refused, and nothing is stored');
  refusal(io, await register(scene, 'localhost', undefined), 'tls_client_certificate_required');

  heading(io, 5, 'Registered under a name the certificate does not carry: refused');
  refusal(io, await register(scene, '127.0.0.1', pki.first), 'tls_server_wrong_host');
  ok(server.log.length === 0, 'a request reached the server before anything was registered');

  heading(io, 6, `Registered with the client certificate ${pki.first.commonName}`);
  const registered = await register(scene, 'localhost', pki.first);
  const { id } = registered.body;
  ok(registered.status === 200 && id, `registration answered ${registered.status}: ${registered.body.message}`);
  const client = await connect(gateway);
  try {
    const { tools } = await client.listTools();
    fact(io, 'tools', tools.map(({ name }) => name).join(', '));
    const sum = await call(client, 'demo_add', { a: 2, b: 3 });
    ok(sum === '5', `demo_add answered ${sum}`);
    fact(io, 'demo_add', `2 + 3 = ${sum}`);
    const strangers = server.log.filter((name) => name !== pki.first.commonName);
    ok(strangers.length === 0, `requests came with ${strangers.join(', ')}`);
    fact(io, 'server log', `${server.log.length} requests, every one with ${pki.first.commonName}`);
    await replace(scene, id, client);
  } finally {
    await client.close();
  }
}

/** Calls before, during and after the PUT; once it has answered, no call may come with the old certificate. */
async function replace({ io, pki, gateway }: Scene, id: string, client: Client): Promise<void> {
  heading(io, 7, `Replaced by ${pki.second.commonName} while calls run`);
  const ask = (): Promise<string> => call(client, 'demo_who_called', {});

  const before = await volley(ask, (begun) => begun < CALLS);
  const startedMs = performance.now();
  let swapMs = 0;
  const put = { client_cert: pki.second.cert, client_key: pki.second.key };
  const [during, answer] = await Promise.all([
    volley(ask, () => swapMs === 0),
    gateway.rest('PUT', `/v1/gateways/${id}`, put).finally(() => (swapMs = performance.now() - startedMs)),
  ]);
  ok(answer.status === 200, `PUT answered ${answer.status}: ${answer.body.message}`);
  const after = await volley(ask, (begun) => begun < CALLS);

  fact(io, 'before', tally(before));
  fact(io, 'meanwhile', `${tally(during)} (PUT answered after ${swapMs.toFixed(0)} ms)`);
  fact(io, 'after', tally(after));
  const failures = [before, during, after].flatMap((phase) => phase.failures);
  fact(io, 'failed', String(failures.length));
  ok(failures.length === 0, `${failures.length} calls failed, the first with ${String(failures[0])}`);
  ok(before.answers.get(pki.first.commonName) === CALLS, 'a call before the PUT came with another certificate');
  ok(after.answers.get(pki.second.commonName) === CALLS, 'a call after the PUT came with another certificate');
}

function tally({ calls, answers }: Volley): string {
  return `${calls} calls: ${[...answers].map(([name, count]) => `${count} with ${name}`).join(', ')}`;
}

async function register({ pki, server, gateway }: Scene, host: string, identity?: PemIdentity): Promise<Answer> {
  return gateway.rest('POST', '/v1/gateways', {
    name: 'demo',
    url: `https://${host}:${server.port}/mcp`,
    ca_certificate: pki.caCertificate,
    ...(identity && { client_cert: identity.cert, client_key: identity.key }),
  });
}

async function connect(gateway: DemoGateway): Promise<Client> {
  const client = new Client({ name: 'postern-demo', version: '1.0.0' });
  const headers = { authorization: `Bearer ${gateway.token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers } }));
  return client;
}

async function call(client: Client, name: string, args: Record<string, unknown>): Promise<string> {
  const { content, isError } = await client.callTool({ name, arguments: args });
  const [first] = content;
  ok(!isError && first?.type === 'text', `${name} did not answer with text`);
  return first.text;
}

function refusal(io: CliIo, { status, body }: Answer, code: string): void {
  ok(status >= 400 && body.code === code, `expected ${code}, met ${status} ${body.code}: ${body.message}`);
  fact(io, String(status), body.code);
  fact(io, 'because', body.message ?? '');
  if (body.hint) fact(io, 'so', body.hint);
}

function heading(io: CliIo, number: number, text: string): void {
  io.out(`\n${number}. ${text}`);
}

function fact(io: CliIo, label: string, value: string): void {
  io.out(`   ${label.padEnd(11)} ${value}`);
}
