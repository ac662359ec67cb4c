/** The four phases of the move, each behind the real nginx, which asks for certificates and does not insist. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askHttps } from '../support/ask-https.ts';
import type { FrontProxy } from '../support/front-proxy.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startNginx } from '../support/nginx.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCertificate } from '../support/pki.ts';

const NAME = 'gateway.example.com';
const keys = makeKeys();
const PHASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  1: { MCP_CLIENT_AUTH_ENABLED: 'true', TRUST_PROXY_AUTH: 'false' },
  2: { MCP_CLIENT_AUTH_ENABLED: 'true', TRUST_PROXY_AUTH: 'true', PROXY_USER_HEADER: 'X-SSL-Client-S-DN-CN' },
  3: { MCP_CLIENT_AUTH_ENABLED: 'true', TRUST_PROXY_AUTH: 'true', PROXY_USER_HEADER: 'X-SSL-Client-Cert' },
  4: { MCP_CLIENT_AUTH_ENABLED: 'false', TRUST_PROXY_AUTH: 'true', PROXY_USER_HEADER: 'X-SSL-Client-S-DN-CN' },
};
const phases = new Map<string, { gateway: TestGateway; proxy: FrontProxy }>();
let serverCa: string;
let ann: MintedCertificate;

beforeAll(async () => {
  const pki = await mintPki();
  const [servers, callers] = [await pki.ca('Servers'), await pki.ca('Callers')];
  serverCa = servers.pem;
  ann = await callers.issue({ cn: 'ann', eku: 'client' });
  const server = await servers.issue({ cn: NAME, dns: [NAME], eku: 'server' });
  const edits = [['ssl_verify_client      on;', 'ssl_verify_client      optional;']] as const;
  for (const [phase, settings] of Object.entries(PHASES)) {
    const gateway = await startGateway({ keys, settings: { ...settings, POSTERN_ALLOWED_HOSTS: NAME } });
    phases.set(phase, {
      gateway,
      proxy: await startNginx({ behind: gateway.url, server, callersCa: callers.pem, edits }),
    });
  }
});
afterAll(async () => {
  for (const { gateway, proxy } of phases.values()) {
    await proxy.close();
    await gateway.close();
  }
});

interface Caller {
  readonly token?: string;
  readonly certificate?: MintedCertificate;
}

async function ask(phase: string, path: string, { token, certificate }: Caller, headers = {}, body?: string) {
  const found = phases.get(phase);
  if (found === undefined) throw new Error(`there is no phase ${phase}`);
  return askHttps(`https://127.0.0.1:${found.proxy.port}${path}`, {
    servername: NAME,
    ca: serverCa,
    ...(certificate && { cert: certificate.chainPem, key: certificate.keyPem }),
    body,
    headers: {
      host: NAME,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
}

const message = (method: string, params: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
const LIST = message('tools/list', {});
const INITIALIZE = message('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'caller', version: '1' },
});
const mcp = async (phase: string, caller: Caller, headers = {}): Promise<number | undefined> =>
  (await ask(phase, '/mcp', caller, headers, LIST)).status;

test.each([
  ['1', { token: 200, certificate: 401, both: 200 }],
  ['2', { token: 200, certificate: 200, both: 200 }],
  ['3', { token: 200, certificate: 200, both: 200 }],
  ['4', { token: 401, certificate: 200, both: 401 }],
])('in phase %s these are let in: %o', async (phase, expected) => {
  const token = (await phases.get(phase)?.gateway.token('ann')) ?? '';
  expect({
    token: await mcp(phase, { token }),
    certificate: await mcp(phase, { certificate: ann }),
    both: await mcp(phase, { token, certificate: ann }),
  }).toEqual(expected);
  expect(await mcp(phase, {})).toBe(401);
  expect(await mcp(phase, { token: 'nonsense', certificate: ann })).toBe(401);
});

test.each(['1', '2', '3', '4'])('in phase %s administration takes the token of an admin', async (phase) => {
  const token = (await phases.get(phase)?.gateway.token('operator', 'admin')) ?? '';
  expect((await ask(phase, '/v1/gateways', { token })).status).toBe(200);
  expect((await ask(phase, '/v1/gateways', { certificate: ann })).status).toBe(phase === '1' ? 401 : 403);
});

test.each(['2', '3'])('in phase %s a session goes on when its caller leaves the token away', async (phase) => {
  const token = (await phases.get(phase)?.gateway.token('ann')) ?? '';
  const opened = await ask(phase, '/mcp', { token, certificate: ann }, {}, INITIALIZE);
  const headers = { 'mcp-session-id': opened.headers['mcp-session-id'], 'mcp-protocol-version': '2025-11-25' };
  expect(await mcp(phase, { certificate: ann }, headers)).toBe(200);
  const other = (await phases.get(phase)?.gateway.token('bob')) ?? '';
  expect(await mcp(phase, { token: other, certificate: ann }, headers)).toBe(404);
});
