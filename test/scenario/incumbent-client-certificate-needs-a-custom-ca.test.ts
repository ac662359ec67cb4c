/** ContextForge bug B7: without a custom CA the client certificate was silently not sent. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';

test('the client certificate is presented to a server of a public CA', async () => {
  const pki = await mintPki();
  const publicCa = await pki.ca('Public CA');
  const clientCa = await pki.ca('Client CA');
  const server = await publicCa.issue({ cn: 'server', ip: ['127.0.0.1'] });
  const client = await clientCa.issue({ cn: 'client' });
  const upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: clientCa.pem, requireClientCertificate: true },
  });
  const builtIn = getCACertificates('default');
  setDefaultCACertificates([...builtIn, publicCa.pem]);
  const gateway = await startGateway();
  try {
    const registered = await gateway.register({
      name: 'up',
      url: upstream.url,
      client_cert: client.chainPem,
      client_key: client.keyPem,
    });
    expect(registered).toMatchObject({ caCertificate: null, tls: { trust: 'system' } });
    expect((await gateway.api('POST', '/v1/gateways/up/refresh')).status).toBe(200);
    expect(upstream.requests.length).toBeGreaterThan(4);
    expect(new Set(upstream.requests.map(({ clientSubject, authorized }) => `${clientSubject} ${authorized}`))).toEqual(
      new Set(['client true']),
    );
  } finally {
    setDefaultCACertificates(builtIn);
    await gateway.close();
    await upstream.close();
  }
});
