/** What a proxy has to do before Postern, held to the real program and to its file in deploy/. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsFor } from '../support/front-proxy.ts';
import type { FrontProxy, StartFrontProxy } from '../support/front-proxy.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';
import { openSocket, refusedSocket } from '../support/web-socket.ts';

const NAME = 'gateway.example.com';
const MCP = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
const rpc = (method: string, params: object = {}) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'caller', version: '1' },
});

/** Everything a client could hope somebody believes. */
const FORGED = [
  'X-Authenticated-User',
  'X-SSL-Client-Verify',
  'X-SSL-Client-S-DN',
  'X-SSL-Client-S-DN-CN',
  'X-SSL-Client-Cert',
  'X-SSL-Client-I-DN',
  'X-Forwarded-Client-Cert',
  'Client-Cert',
  'Client-Cert-Chain',
  'X-User-Organization',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Real-IP',
  'Forwarded',
].flatMap((name) => [name, name.toLowerCase(), name.replaceAll('-', '_')]);

interface Reply {
  readonly status: number | undefined;
  readonly text: string;
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

export interface FrontProxyFacts {
  /** Below deploy/. */
  readonly file: string;
  /** To its clients. */
  readonly speaksHttp2: boolean;
}

/** What every proxy in front has to hold. */
export function frontProxyContract(start: StartFrontProxy, { file, speaksHttp2 }: FrontProxyFacts): void {
  let server: MintedCertificate;
  let authority: MintedCa;
  let callers: MintedCa;
  let ann: MintedCertificate;
  let upstream: McpUpstream;
  /** Told by the common name, and by the certificate. */
  let [byName, byCertificate] = [[], []] as unknown as [[TestGateway, FrontProxy], [TestGateway, FrontProxy]];

  beforeAll(async () => {
    const pki = await mintPki();
    authority = await pki.ca('Servers');
    callers = await pki.ca('Callers');
    server = await authority.issue({ cn: NAME, dns: [NAME], eku: 'server' });
    ann = await callers.issue({ cn: 'ann@example.org', organisation: 'Example, Inc.', eku: 'client' });
    upstream = await startMcpUpstream();
    const pair = async (settings: Readonly<Record<string, string>>): Promise<[TestGateway, FrontProxy]> => {
      const gateway = await startGateway({ settings });
      await gateway.register({ name: 'up', url: upstream.url });
      return [gateway, await start({ behind: gateway.url, server, callersCa: callers.pem })];
    };
    const asked = await settingsFor(file);
    expect(asked['PROXY_USER_HEADER']).toBe('X-SSL-Client-S-DN-CN');
    byName = await pair(asked);
    byCertificate = await pair({ ...asked, PROXY_USER_HEADER: 'X-SSL-Client-Cert' });
  });
  afterAll(async () => {
    for (const [gateway, proxy] of [byName, byCertificate]) {
      await proxy?.close();
      await gateway?.close();
    }
    await upstream?.close();
  });

  const tls = (caller: MintedCertificate | undefined) => ({
    ca: authority.pem,
    servername: NAME,
    ...(caller && { cert: caller.chainPem, key: caller.keyPem }),
  });

  async function open(
    [, proxy]: readonly [unknown, FrontProxy],
    caller: MintedCertificate | undefined,
    { path = '/v1/gateways', body, headers = {} }: { path?: string; body?: string; headers?: Headers } = {},
  ): Promise<IncomingMessage> {
    const sent = request({
      ...tls(caller),
      host: '127.0.0.1',
      port: proxy.port,
      path,
      method: body === undefined ? 'GET' : 'POST',
      agent: false,
      headers: { host: NAME, ...(body !== undefined && MCP), ...headers },
    });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response.setEncoding('utf8');
  }

  async function ask(...[through, caller, what]: Parameters<typeof open>): Promise<Reply> {
    const response = await open(through, caller, what);
    return { status: response.statusCode, text: (await response.toArray()).join('') };
  }

  /** What a server behind it is sent. */
  async function seenBehind(caller: MintedCertificate, headers: Headers): Promise<ReadonlyMap<string, string>> {
    const seen = new Map<string, string>();
    const behind = createServer((incoming, answer) => {
      for (const [name, values] of Object.entries(incoming.headersDistinct)) seen.set(name, values?.join() ?? '');
      answer.end();
    }).listen(0, '127.0.0.1');
    await once(behind, 'listening');
    const { port } = behind.address() as AddressInfo;
    const proxy = await start({ behind: `http://127.0.0.1:${port}`, server, callersCa: callers.pem });
    try {
      expect((await ask([undefined, proxy], caller, { headers })).status).toBe(200);
      return seen;
    } finally {
      await proxy.close();
      behind.close();
    }
  }

  test('the common name of the certificate is the caller, a user', async () => {
    const refused = await ask(byName, ann);
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('ann@example.org has role user')]);
    const params = { name: 'up_echo', arguments: { text: 'through' } };
    expect((await ask(byName, ann, { path: '/mcp', body: rpc('tools/call', params) })).text).toContain('through');
  });

  test('or the certificate names the caller as it would without a proxy, in any script', async () => {
    expect((await ask(byCertificate, ann)).text).toContain('ann@example.org has role user');
    // as big as they come: 5 kB
    const names = Array.from({ length: 100 }, (_, index) => `spiffe://example.org/another/name/number/${index}`);
    const uris = ['spiffe://example.org/agent', ...names];
    const agent = await callers.issue({ cn: 'x', uris, eku: 'client' });
    expect((await ask(byCertificate, agent)).text).toContain('spiffe://example.org/agent has role user');
    const elsewhere = await callers.issue({ cn: 'Jürgen Müller', eku: 'client' });
    expect((await ask(byCertificate, elsewhere)).text).toContain('Jürgen Müller has role user');
    expect((await ask(byName, elsewhere)).status).toBe(401);
  });

  test('who has no certificate, or one of another authority, gets no further than the proxy', async () => {
    const stranger = await (await (await mintPki()).ca('Strangers')).issue({ cn: 'ann@example.org', eku: 'client' });
    const before = byName[0].events.length;
    for (const caller of [undefined, stranger]) {
      const outcome = await ask(byName, caller).catch(() => ({ status: 0, text: '' }));
      expect([0, 400]).toContain(outcome.status);
    }
    expect(byName[0].events.length).toBe(before);
  });

  test('what clients say of themselves does not get past it, in any spelling', async () => {
    const twice: Headers = Object.fromEntries(FORGED.map((name) => [name, ['canary', 'canary, twice']]));
    const seen = await seenBehind(ann, { ...twice, 'x-other': 'kept' });
    expect(seen.get('x-other')).toBe('kept');
    expect([...seen].filter(([name, value]) => name.includes('_') || value.includes('canary'))).toEqual([]);
    expect(seen.get('x-ssl-client-s-dn-cn')).toBe('ann@example.org');
  });

  test('an organisation is no common name, whatever it is', async () => {
    for (const organisation of ['x,CN=admin', 'x+CN=admin', '"x",CN=admin', '\\,CN=admin', 'CN=admin']) {
      const seen = await seenBehind(await callers.issue({ cn: '', organisation, eku: 'client' }), {});
      expect(seen.get('x-ssl-client-s-dn-cn') ?? '').toBe('');
      expect(seen.get('x-ssl-client-verify')).toBe('SUCCESS');
    }
  });

  test('nor does it change who they are', async () => {
    const headers = Object.fromEntries(FORGED.map((name) => [name, 'admin']));
    expect((await ask(byName, ann, { headers })).text).toContain('ann@example.org has role user');
    expect((await ask(byCertificate, ann, { headers })).text).toContain('ann@example.org has role user');
  });

  async function overHttp2(): Promise<void> {
    const url = `https://127.0.0.1:${byName[1].port}`;
    const session = connectHttp2(url, { ...tls(ann), ALPNProtocols: ['h2'] });
    const headers = Object.fromEntries(FORGED.map((name) => [name.toLowerCase(), 'admin']));
    const stream = session.request({ ':path': '/v1/gateways', ':authority': NAME, ...headers });
    const text = (await stream.setEncoding('utf8').toArray()).join('');
    session.destroy();
    expect(text).toContain('ann@example.org has role user');
  }
  if (speaksHttp2) test('nor over HTTP/2', overHttp2);

  test('a name that looks like another is no other', async () => {
    for (const named of [
      { cn: 'mallory', organisation: 'x,CN=admin' },
      { cn: 'mallory', organisation: 'x+CN=admin' },
      { cn: 'mallory', organisation: 'x/CN=admin' },
      { cn: 'mallory', organisation: 'x\\,CN=admin' },
    ]) {
      const caller = await callers.issue({ ...named, eku: 'client' });
      expect((await ask(byName, caller)).text).toContain('mallory has role user');
    }
    for (const cn of ['admin,admin', 'admin\\', 'a\\64min', '{admin}', '$admin', 'x\r\nX-SSL-Client-S-DN-CN: admin']) {
      const refused = await ask(byName, await callers.issue({ cn, eku: 'client' }));
      expect([401, 502]).toContain(refused.status);
    }
  });

  test.each([
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n'],
    ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['chunks in another spelling', 'Transfer-Encoding : chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n'],
    ['chunks nobody knows', 'Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n', ''],
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 4\r\n', ''],
    ['a folded line', 'Content-Length: 0\r\nX-Other: a\r\n X-SSL-Client-S-DN-CN: admin\r\n', ''],
    [
      'a trailer',
      'Transfer-Encoding: chunked\r\nTrailer: X-SSL-Client-S-DN-CN\r\n',
      '0\r\nX-SSL-Client-S-DN-CN: admin\r\n\r\n',
    ],
  ])('a request hidden behind %s is nobody else', async (_, headers, body) => {
    const hidden = `GET /v1/gateways HTTP/1.1\r\nHost: ${NAME}\r\nX-SSL-Client-Verify: SUCCESS\r\nX-SSL-Client-S-DN-CN: admin\r\nConnection: close\r\n\r\n`;
    const socket = connect({ ...tls(ann), host: '127.0.0.1', port: byName[1].port });
    socket.write(`POST /v1/gateways HTTP/1.1\r\nHost: ${NAME}\r\n${headers}\r\n${body}${hidden}`);
    const answers = (await socket.setEncoding('utf8').toArray()).join('');
    expect(answers).toMatch(/^HTTP\/1\.1 (?:400|403|501) /);
    expect(answers).not.toContain('admin has role');
  });

  test('an event stream comes as it is sent', async () => {
    const stream = await open(byName, ann, { path: '/sse', headers: { accept: 'text/event-stream' } });
    const events = stream[Symbol.asyncIterator]() as AsyncIterator<string>;
    const [, messages = ''] = /data: (\S+)/.exec((await events.next()).value as string) ?? [];
    expect((await ask(byName, ann, { path: messages, body: INITIALIZE })).status).toBe(202);
    expect((await events.next()).value).toContain('protocolVersion');
    stream.destroy();
  });

  test('a WebSocket opens, to who may', async () => {
    const url = `https://127.0.0.1:${byName[1].port}/ws`;
    const headers = { host: NAME, 'x-ssl-client-s-dn-cn': 'admin' };
    const opened = await openSocket(url, { ...tls(ann), headers });
    opened.say(INITIALIZE);
    expect(JSON.stringify(await opened.next())).toContain('protocolVersion');
    opened.socket.terminate();
    const caller = await callers.issue({ cn: '{admin}', eku: 'client' });
    expect((await refusedSocket(url, { ...tls(caller), headers })).status).toBe(401);
  });
}
