/**
 * Who is no trusted proxy cannot say who calls, in whatever spelling and by whatever trick: over HTTP/1.1, HTTP/2 and
 * WebSocket. The proxy is at 127.0.0.2; strangers are next door. Every request is sent from both, so that one that says
 * nothing to anybody cannot pass for one that was refused.
 */
import { connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import { rawExchange } from '../support/raw-request.ts';
import { openSocket, refusedSocket } from '../support/web-socket.ts';

const PROXY = '127.0.0.2';
const STRANGER = '127.0.0.1';
const VERIFIED = [
  ['X-SSL-Client-Verify', 'SUCCESS'],
  ['ssl-client-verify', 'SUCCESS'],
] as const;
type Sent = readonly (readonly [name: string, value: string])[];

/** For each header a proxy may name callers in, a gateway that listens to it, and what names admin. */
const STYLES = [
  'X-Authenticated-User',
  'X-Remote-User',
  'X-SSL-Client-S-DN-CN',
  'X-SSL-Client-S-DN',
  'X-SSL-Client-Cert',
  'X-Forwarded-Client-Cert',
  'Client-Cert',
  'ssl-client-subject-dn',
  'ssl-client-cert',
] as const;
const gateways = new Map<string, TestGateway>();
let forged: Readonly<Record<(typeof STYLES)[number], string>>;
let token: string;

beforeAll(async () => {
  const { certPem, certificate } = await (await (await mintPki()).ca('Anybody')).issue({ cn: 'admin' });
  forged = {
    'X-Authenticated-User': 'admin',
    'X-Remote-User': 'admin',
    'X-SSL-Client-S-DN-CN': 'admin',
    'X-SSL-Client-S-DN': 'CN=admin',
    'X-SSL-Client-Cert': encodeURIComponent(certPem),
    'X-Forwarded-Client-Cert': 'Subject="CN=admin"',
    'ssl-client-subject-dn': 'CN=admin',
    'ssl-client-cert': encodeURIComponent(certPem),
    'Client-Cert': `:${Buffer.from(certificate.der).toString('base64')}:`,
  };
  for (const PROXY_USER_HEADER of STYLES)
    gateways.set(
      PROXY_USER_HEADER,
      await startGateway({
        settings: { TRUST_PROXY_AUTH: 'true', POSTERN_TRUSTED_PROXIES: PROXY, PROXY_USER_HEADER },
      }),
    );
  token = (await gatewayFor('X-Authenticated-User').token('tim')) ?? '';
});
afterAll(async () => {
  for (const gateway of gateways.values()) await gateway.close();
});

function gatewayFor(style: string): TestGateway {
  const gateway = gateways.get(style);
  if (gateway === undefined) throw new Error(`no gateway listens to ${style}`);
  return gateway;
}

const lines = (sent: Sent): string => sent.map(([name, value]) => `${name}: ${value}\r\n`).join('');
const get = (headers: string): string =>
  `GET /v1/gateways HTTP/1.1\r\nHost: localhost\r\n${headers}Connection: close\r\n\r\n`;

/** What the answers say of the caller: administration is refused by name. */
function verdicts(answers: string): string[] {
  return [...answers.matchAll(/^HTTP\/1\.1 (\d{3})[\s\S]*?(?=^HTTP\/1\.1 |$(?![\s\S]))/gm)].map(([answer, status]) => {
    const name = /"message":"(\w+) has role user/.exec(answer)?.[1];
    return name === undefined ? `${status}` : `${status} ${name}`;
  });
}

const said = async (style: string, from: string, request: string): Promise<string[]> =>
  verdicts(await rawExchange(gatewayFor(style).url, request, { from }));

describe.each(STYLES)('%s', (style) => {
  const sent = (): Sent => [[style, forged[style]], ...VERIFIED];

  test('is believed of the proxy, over HTTP/1.1, HTTP/2 and WebSocket, and of no stranger', async () => {
    const { url } = gatewayFor(style);
    expect(await said(style, PROXY, get(lines(sent())))).toEqual(['403 admin']);
    expect(await said(style, STRANGER, get(lines(sent())))).toEqual(['401']);
    expect(await overHttp2(url, PROXY, sent())).toContain('admin has role user');
    expect(await overHttp2(url, STRANGER, sent())).toContain('met neither');
    const headers = Object.fromEntries(sent());
    (await openSocket(`${url}/ws`, { localAddress: PROXY, headers })).socket.terminate();
    expect(await refusedSocket(`${url}/ws`, { localAddress: STRANGER, headers })).toMatchObject({ status: 401 });
  });

  test('changes nothing about who a token says a stranger is', async () => {
    const authorization = `Authorization: Bearer ${await gatewayFor(style).token('tim')}\r\n`;
    expect(await said(style, STRANGER, get(lines(sent()) + authorization))).toEqual(['403 tim']);
  });

  test.each<[string, (name: string) => string, 'same' | 'other']>([
    ['lower case', (name) => name.toLowerCase(), 'same'],
    ['upper case', (name) => name.toUpperCase(), 'same'],
    [
      'mixed case',
      (name) => name.replaceAll(/./g, (char, at: number) => (at % 2 ? char.toUpperCase() : char.toLowerCase())),
      'same',
    ],
    ['underscores', (name) => name.replaceAll('-', '_'), 'other'],
    ['one underscore', (name) => name.replace('-', '_'), 'other'],
    ['dots', (name) => name.replaceAll('-', '.'), 'other'],
    ['HTTP_ before it', (name) => `HTTP_${name}`, 'other'],
  ])('in %s is not believed of a stranger, and another name not of the proxy', async (_, spell, kind) => {
    const spelled = lines(sent().map(([name, value]) => [spell(name), value]));
    expect(await said(style, STRANGER, get(spelled))).toEqual(['401']);
    expect(await said(style, PROXY, get(spelled))).toEqual([kind === 'same' ? '403 admin' : '401']);
  });

  test('that comes twice is believed of nobody', async () => {
    const other = /-dn$/i.test(style) ? 'CN=bob' : style === 'X-Forwarded-Client-Cert' ? 'DNS="' : 'bob';
    for (const twice of [
      [...sent(), [style, other]],
      [[style, other], ...sent()],
      [[style, ''], ...sent()],
    ] as Sent[])
      for (const from of [STRANGER, PROXY]) expect(await said(style, from, get(lines(twice)))).toEqual(['401']);
  });

  test('that holds two values is believed of nobody', async () => {
    // several elements of this one are several hops
    const twice = style === 'X-Forwarded-Client-Cert' ? [] : [`${forged[style]}, ${forged[style]}`];
    for (const value of [...twice, `${forged[style]},`, `bob", ${forged[style]}`])
      for (const from of [STRANGER, PROXY])
        expect(await said(style, from, get(lines([[style, value], ...VERIFIED])))).toEqual(['401']);
  });
});

test('what a stranger says does not go upstream either, and is not believed where nobody knows who calls', async () => {
  const upstream = await startMcpUpstream();
  const gateway = gatewayFor('X-Authenticated-User');
  await gateway.register({ name: 'up', url: upstream.url, passthrough_headers: ['X-Forwarded-For', 'X-Other'] });
  const params = { name: 'up_echo', arguments: { text: 'x' } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const sent: Sent = [
    ['X-Authenticated-User', 'admin'],
    ['X-Forwarded-For', '198.51.100.7'],
    ['X-Other', 'kept'],
    ['Authorization', `Bearer ${token}`],
    ['Accept', 'application/json, text/event-stream'],
    ['Content-Type', 'application/json'],
    ['Content-Length', `${body.length}`],
  ];
  const request = `POST /mcp HTTP/1.1\r\nHost: localhost\r\n${lines(sent)}Connection: close\r\n\r\n${body}`;
  try {
    for (const from of [STRANGER, PROXY]) expect(await rawExchange(gateway.url, request, { from })).toContain(' 200 ');
    const calls = upstream.requests.filter(({ rpcMethod }) => rpcMethod === 'tools/call');
    expect(calls.map(({ headers }) => [headers['x-forwarded-for'], headers['x-other']])).toEqual([
      [undefined, 'kept'],
      ['198.51.100.7', 'kept'],
    ]);
  } finally {
    await upstream.close();
  }
  const inside = new Request('http://localhost/v1/gateways', { headers: { 'X-Authenticated-User': 'admin' } });
  expect((await gateway.gateway.fetch(inside)).status).toBe(401);
});

describe('of tricks', () => {
  const STYLE = 'X-Authenticated-User';
  const NAME = `${STYLE}: admin`;
  const post = (headers: string, body: string): string =>
    `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;
  const hidden = get(`${NAME}\r\n`);
  const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;

  test.each<[string, string]>([
    ['a blank before the colon', get(`${STYLE} : admin\r\n`)],
    ['a tab before the colon', get(`${STYLE}\t: admin\r\n`)],
    ['a blank before the name', get(` ${NAME}\r\n`)],
    ['a folded line', get(`X-Other: a\r\n ${NAME}\r\n`)],
    ['a folded value', get(`${STYLE}:\r\n admin\r\n`)],
    ['a line that ends in LF', get(`X-Other: a\n${NAME}\r\n`)],
    ['a line that ends in CR', get(`X-Other: a\r${NAME}\r\n`)],
    ['a NUL in the name', get(`${STYLE}\0: admin\r\n`)],
    ['a NUL in the value', get(`${STYLE}: admin\0\r\n`)],
    ['a control character in the value', get(`${STYLE}: admin\u0001\r\n`)],
    ['no name', get(`: x\r\n${NAME}\r\n`)],
    ['the header of a connection', get(`Connection: ${STYLE}\r\n${NAME}\r\n`)],
    ['the header of a connection that goes on', get(`Connection: keep-alive, ${STYLE}, close\r\n${NAME}\r\n`)],
    ['a header named before', get(`${NAME}\r\nConnection: ${STYLE}\r\n`)],
    ['a method that is none', get(`${NAME}\r\n`).replace('GET', 'GET X')],
    ['an address of a proxy protocol', `PROXY TCP4 ${PROXY} 127.0.0.1 1 2\r\n${hidden}`],
    ['a trailer', post('Transfer-Encoding: chunked\r\nConnection: close\r\n', `0\r\n${NAME}\r\n\r\n`)],
    [
      'a trailer that is announced',
      post(
        `Transfer-Encoding: chunked\r\nTrailer: ${STYLE}\r\nConnection: close\r\n`,
        `2\r\n{}\r\n0\r\n${NAME}\r\n\r\n`,
      ),
    ],
    ['a request behind another', `${get('').replace('Connection: close\r\n', '')}${hidden}`],
    ['a request in a body', post(`Content-Length: ${hidden.length}\r\nConnection: close\r\n`, hidden)],
    ['a length and chunks', post(`Content-Length: 4\r\nTransfer-Encoding: chunked\r\n`, chunk)],
    ['chunks and a length', post(`Transfer-Encoding: chunked\r\nContent-Length: ${chunk.length}\r\n`, chunk)],
    ['two lengths', post(`Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n`, hidden)],
    ['chunks nobody knows', post(`Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n`, hidden)],
    ['chunks in another spelling', post(`Transfer-Encoding : chunked\r\nContent-Length: 0\r\n`, hidden)],
    ['a chunk with more than it says', post('Transfer-Encoding: chunked\r\n', `0\r\n\r\n${hidden}`)],
  ])('%s makes nobody admin', async (_, request) => {
    const seen = await said(STYLE, STRANGER, request);
    expect(seen.length).toBeGreaterThan(0);
    for (const verdict of seen) expect(['400', '401']).toContain(verdict);
  });

  test('where a stranger was on the connection before, the proxy is not there', async () => {
    const { url } = gatewayFor(STYLE);
    const addresses = get(`X-Forwarded-For: ${PROXY}\r\nX-Real-IP: ${PROXY}\r\nForwarded: for=${PROXY}\r\n${NAME}\r\n`);
    expect(verdicts(await rawExchange(url, addresses, { from: STRANGER }))).toEqual(['401']);
  });

  test('names sent over HTTP/2 as pairs of their own are not believed', async () => {
    const { url } = gatewayFor(STYLE);
    for (const sent of [
      [
        [STYLE.toLowerCase(), 'admin'],
        [STYLE.toLowerCase(), 'admin'],
      ],
      [['x_authenticated_user', 'admin']],
    ] as Sent[]) {
      expect(await overHttp2(url, STRANGER, sent)).toContain('met neither');
      expect(await overHttp2(url, PROXY, sent)).not.toContain('has role');
    }
  });

  test('what one WebSocket was opened with is asked again for every message', async () => {
    const { url } = gatewayFor(STYLE);
    const headers = { [STYLE]: 'admin', authorization: `Bearer ${token}` };
    const opened = await openSocket(`${url}/ws`, { localAddress: STRANGER, headers });
    opened.say({ jsonrpc: '2.0', id: 1, method: 'ping' });
    expect(await opened.next()).toHaveProperty('id', 1);
    opened.socket.terminate();
  });
});

async function overHttp2(url: string, from: string, sent: Sent): Promise<string> {
  const { port } = new URL(url);
  const createConnection = () => connectTcp({ host: '127.0.0.1', port: Number(port), localAddress: from });
  const session = connect(url, { createConnection });
  const headers: Record<string, string[]> = {};
  for (const [name, value] of sent) (headers[name.toLowerCase()] ??= []).push(value);
  const stream = session.request({ ':path': '/v1/gateways', ...headers });
  const text = (await stream.setEncoding('utf8').toArray()).join('');
  session.destroy();
  return text;
}
