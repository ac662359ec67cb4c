/** `client_auth` of a virtual server, by every way in; the listener takes certificates and does not ask for them. */
import { get } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askHttps } from '../support/ask-https.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCertificate } from '../support/pki.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';
import { openSocket, refusedSocket } from '../support/web-socket.ts';

let gateway: TlsPostern;
let ann: MintedCertificate;
let authorization: string;
beforeAll(async () => {
  const ca = await (await mintPki()).ca('Callers');
  ann = await ca.issue({ cn: 'ann', eku: 'client' });
  const env = { CA_CERTS: 'callers.pem', CERT_REQS: 'optional' };
  gateway = await startTlsPostern({ env, files: { 'callers.pem': ca.pem } });
  authorization = `Bearer ${gateway.token}`;
  for (const client_auth of ['none', 'optional', 'required'])
    expect((await send('/v1/servers', { name: client_auth, client_auth, members: [{ gateway: 'up' }] })).status).toBe(
      201,
    );
});
afterAll(() => gateway?.close());

interface Credentials {
  readonly shown?: MintedCertificate | undefined;
  readonly token?: string | undefined;
}

function send(path: string, message: object | undefined, { shown, token = authorization }: Credentials = {}) {
  const accept = 'application/json, text/event-stream';
  const headers = {
    accept,
    ...(message && { 'content-type': 'application/json' }),
    ...(token && { authorization: token }),
  };
  const body = message && JSON.stringify(message);
  return askHttps(gateway.source.url + path, { ...gateway.tls(shown), headers, body });
}

const PING = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

/** The status of each way in; what may be opened is. */
async function waysIn(server: string, credentials: Credentials): Promise<readonly unknown[]> {
  const { shown, token = authorization } = credentials;
  const streamable = await send(`/servers/${server}/mcp`, PING, credentials);
  const options = { ...gateway.tls(shown), headers: token === '' ? {} : { authorization: token } } as object;
  const url = `${gateway.source.url}/servers/${server}`;
  const webSocket = await openSocket(`${url}/ws`, options).then(
    ({ socket }) => (socket.terminate(), 200),
    async () => (await refusedSocket(`${url}/ws`, options)).status,
  );
  const sse = await statusOf(`${url}/sse`, options);
  return [streamable.status, sse, webSocket];
}

/** Of an answer that may never end. */
function statusOf(url: string, options: object): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ...options, agent: false }, (response) => {
      resolve(response.statusCode);
      response.destroy();
    });
    request.on('error', reject);
  });
}

const all = (status: number) => [status, status, status];

describe.each([
  ['none', { 'a token': 200, 'a certificate': 401, both: 200, nothing: 401 }],
  ['optional', { 'a token': 200, 'a certificate': 200, both: 200, nothing: 401 }],
  ['required', { 'a token': 403, 'a certificate': 200, both: 200, nothing: 401 }],
] as const)('%s', (server, expected) => {
  test('over Streamable HTTP, HTTP+SSE and WebSocket', async () => {
    expect(await waysIn(server, {})).toEqual(all(expected['a token']));
    expect(await waysIn(server, { shown: ann, token: '' })).toEqual(all(expected['a certificate']));
    expect(await waysIn(server, { shown: ann })).toEqual(all(expected.both));
    expect(await waysIn(server, { token: '' })).toEqual(all(expected.nothing));
  });
});

test('the refusals say what is wanted, and other addresses go on as they are', async () => {
  expect((await send('/servers/required/mcp', PING)).text).toContain('asks callers for a client certificate');
  const alone = await send('/servers/none/mcp', PING, { shown: ann, token: '' });
  expect(alone.text).toContain('takes a bearer token');
  expect((await send('/mcp', PING)).status).toBe(200);
});

test('it can be changed, shown and cleared', async () => {
  const put = async (client_auth: string | null) => {
    const headers = { authorization, 'content-type': 'application/json' };
    const body = JSON.stringify({ client_auth });
    return askHttps(`${gateway.source.url}/v1/servers/optional`, { ...gateway.tls(), method: 'PUT', headers, body });
  };
  expect(JSON.parse((await put('required')).text)).toMatchObject({ clientAuth: 'required' });
  expect((await send('/servers/optional/mcp', PING)).status).toBe(403);
  expect(JSON.parse((await put(null)).text)).toMatchObject({ clientAuth: null });
  expect((await send('/servers/optional/mcp', PING)).status).toBe(200);
  expect((await put('maybe')).status).toBe(400);
});
