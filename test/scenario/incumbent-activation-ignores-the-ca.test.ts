/** ContextForge bug B5: activation ignored the CA, failed, and reported success. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate, TestPki } from '../support/pki.ts';

let pki: TestPki;
let ca: MintedCa;
let client: MintedCertificate;
let upstream: McpUpstream;
let gateway: TestGateway;

beforeEach(async () => {
  pki = await mintPki();
  ca = await pki.ca('CA');
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  client = await ca.issue({ cn: 'client' });
  upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true },
  });
  gateway = await startGateway();
  await gateway.register({
    name: 'up',
    url: upstream.url,
    ca_certificate: ca.pem,
    client_cert: client.chainPem,
    client_key: client.keyPem,
  });
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const setState = async (activate: boolean) => {
  const response = await gateway.api('POST', `/v1/gateways/up/state?activate=${activate}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test('activation connects with the CA and the client certificate of the gateway', async () => {
  expect((await setState(false)).body).toMatchObject({ enabled: false, reachable: false });
  upstream.requests.length = 0;
  expect(await setState(true)).toMatchObject({ status: 200, body: { enabled: true, reachable: true } });
  expect(upstream.requests.length).toBeGreaterThan(0);
  expect(new Set(upstream.requests.map(({ clientSubject }) => clientSubject))).toEqual(new Set(['client']));
});

test('activation with the wrong CA fails, says why, and leaves the gateway inactive', async () => {
  await setState(false);
  const otherCa = await pki.ca('Other CA');
  expect((await gateway.api('PUT', '/v1/gateways/up', { ca_certificate: otherCa.pem })).status).toBe(200);
  const { status, body } = await setState(true);
  expect([status, body['code'], body['stage']]).toEqual([502, 'tls_unknown_ca', 'tls']);
  expect(await (await gateway.api('GET', '/v1/gateways/up')).json()).toMatchObject({
    enabled: false,
    reachable: false,
  });
  expect((await gateway.api('POST', '/v1/gateways/up/refresh')).status).toBe(409);
});

test('an inactive gateway serves nobody', async () => {
  await setState(false);
  const response = await fetch(`${gateway.url}/servers/up/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await gateway.token('ann')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  expect(response.status).toBe(404);
});
