import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { startMcpUpstream } from './mcp-upstream.ts';
import type { McpUpstream } from './mcp-upstream.ts';
import { mintPki } from './pki.ts';
import type { MintedCa, MintedCertificate, MintOptions, TestPki } from './pki.ts';
import { runPostern, servePostern } from './postern.ts';
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
  /** One call of `up_echo` over a connection of its own: what it answered. Fails when there is no connection. */
  echo(text: string, caller?: MintedCertificate): Promise<string | undefined>;
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
}

export async function startTlsPostern(options: TlsPosternOptions = {}): Promise<TlsPostern> {
  const { args = [], env = {}, files = {} } = options;
  const pki = await mintPki();
  const ca = await pki.ca('Listener CA');
  const folder = await makeTempFolder();
  const { path: cwd } = folder;
  const issue: TlsPostern['issue'] = (cn, extra = {}) => ca.issue({ cn, dns: ['localhost'], eku: 'server', ...extra });
  const write: TlsPostern['write'] = (name, text) =>
    text === undefined ? rm(join(cwd, name)) : writeFile(join(cwd, name), text);
  await write('both.pem', (await issue('first')).bundlePem);
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const ticker = startTicker();
  const upstream = await startMcpUpstream({ ownTools: { tick: ticker.tool } });
  const done = async (...command: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runPostern(command, { cwd });
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  await done('gateways', 'add', 'up', upstream.url);
  const token = await done('token', '--sub', 'ann', '--role', 'admin');
  const process = await servePostern(['--tls-cert', 'both.pem', ...args], { cwd, env });
  const { url } = process;
  const tls: TlsPostern['tls'] = (caller) => ({
    ca: ca.pem,
    family: 4,
    ...(caller && { cert: caller.chainPem, key: caller.keyPem }),
  });
  const ask = async (path: string, caller?: MintedCertificate, message?: unknown): Promise<string> => {
    const authorization = `Bearer ${token}`;
    const accept = 'application/json, text/event-stream';
    const headers = { authorization, accept, ...(message !== undefined && { 'content-type': 'application/json' }) };
    const method = message === undefined ? 'GET' : 'POST';
    const request = httpsRequest(url + path, { ...tls(caller), method, headers, agent: false });
    request.end(message === undefined ? undefined : JSON.stringify(message));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return (await response.setEncoding('utf8').toArray()).join('');
  };
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
    async echo(text, caller) {
      const params = { name: 'up_echo', arguments: { text } };
      const answer = await ask('/mcp', caller, { jsonrpc: '2.0', id: 1, method: 'tools/call', params });
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
