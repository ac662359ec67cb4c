/** ContextForge bug B17: TLS material could not be removed, and was not looked at when it was saved. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';

let ca: MintedCa;
let client: MintedCertificate;
let upstream: McpUpstream;
let gateway: TestGateway;

beforeEach(async () => {
  ca = await (await mintPki()).ca('CA');
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  client = await ca.issue({ cn: 'client' });
  upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: 'optional' },
  });
  gateway = await startGateway();
  await gateway.register({
    name: 'up',
    url: upstream.url,
    ca_certificate: ca.pem,
    client_cert: client.chainPem,
    client_key: client.keyPem,
    client_key_password: 'unused',
  });
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const put = async (body: object) => {
  const response = await gateway.api('PUT', '/v1/gateways/up', body);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test('null removes the identity, and it is not presented any more', async () => {
  upstream.requests.length = 0;
  const { status, body } = await put({ client_cert: null, client_key: null });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    clientCert: null,
    clientKey: null,
    clientKeyPassword: null,
    tls: { clientCertificate: null },
  });
  expect(new Set(upstream.requestsOf('tools/list').map(({ clientSubject }) => clientSubject))).toEqual(
    new Set([undefined]),
  );
});

test('half of an identity cannot be removed', async () => {
  expect(await put({ client_cert: null })).toMatchObject({ status: 422, body: { code: 'certificate_missing' } });
  expect(await put({ client_key: null })).toMatchObject({ status: 422, body: { code: 'key_missing' } });
});

test('what is saved is looked at, also for a gateway that is not dialled', async () => {
  const stranger = await ca.issue({ cn: 'stranger' });
  const expired = await ca.issue({
    cn: 'old',
    notBefore: new Date(Date.now() - 2e9),
    notAfter: new Date(Date.now() - 1e9),
  });
  await gateway.api('POST', '/v1/gateways/up/state?activate=false');
  expect(await put({ client_key: stranger.keyPem })).toMatchObject({ status: 422, body: { code: 'key_mismatch' } });
  expect(await put({ client_cert: expired.certPem, client_key: expired.keyPem })).toMatchObject({
    status: 422,
    body: { code: 'certificate_expired' },
  });
  expect(await put({ ca_certificate: client.certPem })).toMatchObject({ status: 422, body: { code: 'ca_not_a_ca' } });
  expect(await put({ ca_certificate: ca.pem.slice(0, 200) })).toMatchObject({
    status: 422,
    body: { code: 'ca_unreadable' },
  });
});

test('what is in force is shown with the days it has left', async () => {
  expect(await (await gateway.api('GET', '/v1/gateways/up')).json()).toMatchObject({
    tls: {
      clientCertificate: { subject: 'CN=client', daysLeft: 29 },
      authorities: [{ subject: 'CN=CA', daysLeft: 29 }],
    },
  });
});
