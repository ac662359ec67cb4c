/** A verified client certificate says who calls: a user, to whom MCP is open and administration is not. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askHttps } from '../support/ask-https.ts';
import type { HttpsAnswer } from '../support/ask-https.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCertificate } from '../support/pki.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';
import { openSocket } from '../support/web-socket.ts';

let gateway: TlsPostern;
let agent: MintedCertificate;
let other: MintedCertificate;
let stranger: MintedCertificate;
beforeAll(async () => {
  const pki = await mintPki();
  const ca = await pki.ca('Callers');
  agent = await ca.issue({ cn: 'agent', uris: ['spiffe://example.org/agent'], eku: 'client' });
  other = await ca.issue({ cn: 'other', eku: 'client' });
  stranger = await (await pki.ca('Strangers')).issue({ cn: 'agent', eku: 'client' });
  gateway = await startTlsPostern({
    env: { CA_CERTS: 'callers.pem', CERT_REQS: 'optional' },
    files: { 'callers.pem': ca.pem },
  });
});
afterAll(() => gateway?.close());

const MCP = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
const rpc = (method: string, params: object = {}) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
const ECHO = rpc('tools/call', { name: 'up_echo', arguments: { text: 'known' } });
const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'agent', version: '1' },
});

async function ask(
  path: string,
  caller: MintedCertificate | undefined,
  { body, headers = {} }: { body?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<HttpsAnswer> {
  return askHttps(gateway.source.url + path, { ...gateway.tls(caller), headers: { ...MCP, ...headers }, body });
}

test('MCP is open to it, over HTTP/1.1 and HTTP/2', async () => {
  expect((await ask('/mcp', agent, { body: ECHO })).text).toContain('known');
  const session = connect(gateway.source.url, { ...gateway.tls(agent) } as object);
  for (let time = 0; time < 2; time++) {
    const stream = session.request({ ':path': '/mcp', ':method': 'POST', ...MCP }).end(ECHO);
    expect((await stream.setEncoding('utf8').toArray()).join('')).toContain('known');
  }
  session.destroy();
});

test('over WebSocket, where each message is asked who sent it', async () => {
  const { socket } = await openSocket(`${gateway.source.url}/ws`, { ...gateway.tls(agent) } as object);
  const answered = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(INITIALIZE);
  expect(String((await answered)[0])).toContain('protocolVersion');
  socket.terminate();
});

test('over HTTP+SSE, where messages come over connections of their own', async () => {
  const options = { ...gateway.tls(agent), agent: false as const, headers: { accept: 'text/event-stream' } };
  const [stream] = (await once(request(`${gateway.source.url}/sse`, options).end(), 'response')) as [IncomingMessage];
  const events = stream.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
  const [, messages = ''] = /data: (\S+)/.exec((await events.next()).value as string) ?? [];
  expect((await ask(messages, other, { body: INITIALIZE })).status).toBe(404);
  expect((await ask(messages, agent, { body: INITIALIZE })).status).toBe(202);
  expect((await events.next()).value).toContain('protocolVersion');
  stream.destroy();
});

test('a session is its own, by the name in the certificate', async () => {
  const { headers } = await ask('/mcp', agent, { body: INITIALIZE });
  const session = { 'mcp-session-id': String(headers['mcp-session-id']), 'mcp-protocol-version': '2025-11-25' };
  expect((await ask('/mcp', other, { body: ECHO, headers: session })).status).toBe(404);
  expect((await ask('/mcp', agent, { body: ECHO, headers: session })).text).toContain('known');
});

test('administration is not', async () => {
  const refused = await ask('/v1/gateways', agent);
  expect(refused.status).toBe(403);
  expect(refused.text).toContain('spiffe://example.org/agent has role user');
});

test('a token beside it must be good', async () => {
  const authorization = 'Bearer nonsense';
  expect((await ask('/mcp', agent, { body: ECHO, headers: { authorization } })).status).toBe(401);
});

test('a certificate of others is none, and without one a token is asked for', async () => {
  await expect(ask('/mcp', stranger, { body: ECHO })).rejects.toThrow();
  const refused = await ask('/mcp', undefined, { body: ECHO });
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer']);
});
