import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import type { Agent } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { parseConfig } from '../../src/config.ts';
import { importTokenKey, mintToken } from '../../src/identity/token.ts';
import { askHttps } from './ask-https.ts';
import { startMcpUpstream } from './mcp-upstream.ts';
import type { McpUpstream } from './mcp-upstream.ts';
import { mintPki } from './pki.ts';
import type { MintedCa, MintedCertificate, MintOptions, TestPki } from './pki.ts';
import { servePostern } from './postern.ts';
import type { ServingPostern } from './postern.ts';
import { makeTempFolder } from './temp-folder.ts';
import type { TempFolder } from './temp-folder.ts';
import { startTicker } from './ticking.ts';
import type { Ticker, TickSource } from './ticking.ts';

/** A `postern serve` with TLS, in front of an upstream `up` that has the tool `tick`. */
export interface TlsPostern {
  readonly pki: TestPki;
  /** Of the listener's certificate, which is in `both.pem` with its key. */
  readonly ca: MintedCa;
  readonly process: ServingPostern;
  readonly folder: TempFolder;
  readonly upstream: McpUpstream;
  readonly ticker: Ticker;
  readonly token: string;
  readonly source: TickSource;
  /** A certificate for the listener. */
  issue(cn: string, options?: Partial<MintOptions>): Promise<MintedCertificate>;
  /** Writes a file beside `both.pem`; undefined removes it. */
  write(name: string, text: string | undefined): Promise<void>;
  /** To be a caller over a new connection, with a certificate where given. */
  tls(caller?: MintedCertificate): ConnectionOptions & { family: number };
  /** One call of `up_echo`, over a connection of its own unless an agent has one: what it answered. */
  echo(text: string, caller?: MintedCertificate, agent?: Agent | false): Promise<string | undefined>;
  /** Common name of the certificate a new connection is shown. */
  presented(caller?: MintedCertificate): Promise<string | undefined>;
  /** One series of /metrics, by the beginning of its line. */
  metric(series: string, caller?: MintedCertificate): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface TlsPosternOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Written before it starts. */
  readonly files?: Readonly<Record<string, string>>;
  /** Common name of a certificate in `cert.pem` whose key is in `key.pem`. */
  readonly pair?: string;
  /** Who registers the upstream, where callers need a certificate. */
  readonly caller?: MintedCertificate;
  /** What runs the command line, as for `servePostern`. */
  readonly command?: readonly string[];
}

export async function startTlsPostern(options: TlsPosternOptions = {}): Promise<TlsPostern> {
  const { args = [], env = {}, files = {}, pair, command } = options;
  const pki = await mintPki();
  const ca = await pki.ca('Listener CA');
  const folder = await makeTempFolder();
  const { path: cwd } = folder;
  const issue: TlsPostern['issue'] = (cn, extra = {}) => ca.issue({ cn, dns: ['localhost'], eku: 'server', ...extra });
  const write: TlsPostern['write'] = (name, text) =>
    text === undefined ? rm(join(cwd, name)) : writeFile(join(cwd, name), text);
  await write('both.pem', (await issue('first')).bundlePem);
  for (const [name, text] of Object.entries(files)) await write(name, text);
  if (pair !== undefined) {
    const { certPem, keyPem } = await issue(pair);
    await write('cert.pem', certPem);
    await write('key.pem', keyPem);
  }
  const ticker = startTicker();
  const upstream = await startMcpUpstream({ ownTools: { tick: ticker.tool } });
  const JWT_SECRET_KEY = crypto.randomUUID() + crypto.randomUUID();
  const { values } = parseConfig({ environment: { JWT_SECRET_KEY } });
  const key = await importTokenKey({ ...values, jwtSecretKey: new Secret(JWT_SECRET_KEY) });
  const token = await mintToken({ subject: 'ann', role: 'admin', ttlSeconds: 3600 }, key, systemClock);
  const started = { cwd, env: { JWT_SECRET_KEY, ...env }, ...(command && { command }) };
  const process = await servePostern(['--tls-cert', 'both.pem', ...args], started);
  const { url } = process;
  const tls: TlsPostern['tls'] = (caller) => ({
    ca: ca.pem,
    family: 4,
    ...(caller && { cert: caller.chainPem, key: caller.keyPem }),
  });
  const ask = async (
    path: string,
    caller?: MintedCertificate,
    message?: unknown,
    agent: Agent | false = false,
  ): Promise<string> => {
    const authorization = `Bearer ${token}`;
    const accept = 'application/json, text/event-stream';
    const headers = { authorization, accept, ...(message !== undefined && { 'content-type': 'application/json' }) };
    const body = message === undefined ? undefined : JSON.stringify(message);
    return (await askHttps(url + path, { ...tls(caller), headers, agent, body })).text;
  };
  const registered = await ask('/v1/gateways', options.caller, { name: 'up', url: upstream.url });
  if (!registered.includes('"slug":"up"')) throw new Error(registered);
  return {
    pki,
    ca,
    process,
    folder,
    upstream,
    ticker,
    token,
    source: { url, token, ca: ca.pem, tool: 'up_tick' },
    issue,
    write,
    tls,
    async echo(text, caller, agent) {
      const params = { name: 'up_echo', arguments: { text } };
      const answer = await ask('/mcp', caller, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, agent);
      return /"text":"([^"]*)"/.exec(answer)?.[1];
    },
    async presented(caller) {
      const socket = connect({
        ...tls(caller),
        host: 'localhost',
        port: Number(new URL(url).port),
        servername: 'localhost',
      });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerX509Certificate() ?? {};
      socket.destroy();
      return subject?.replace('CN=', '');
    },
    async metric(series, caller) {
      const line = (await ask('/metrics', caller)).split('\n').find((text) => text.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    async close() {
      ticker.finish();
      await process.kill();
      await upstream.close();
      await folder.remove();
    },
  };
}
