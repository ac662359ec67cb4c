import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
test('smoke', async () => {
  const pki = await mintPki();
  const ca = await pki.ca('Test CA');
  const server = await ca.issue({ cn: 'localhost', dns: ['localhost'], ip: ['127.0.0.1'] });
  const client = await ca.issue({ cn: 'postern-client' });
  const up = await startMcpUpstream({ tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true } });
  const gw = await startGateway();
  const r = await gw.register({ name: 'Warehouse', url: up.url, ca_certificate: ca.pem, client_cert: client.chainPem, client_key: client.keyPem });
  console.log(JSON.stringify(r, null, 1).slice(0, 6000));
  for (const [m, p, b] of [['GET', '/v1/gateways'], ['POST','/gateways/warehouse/refresh'], ['POST','/gateways/warehouse/check'], ['PUT', '/gateways/warehouse', { description: 'x' }], ['POST','/gateways/warehouse/state?activate=false'],['POST','/gateways/warehouse/state?activate=true'],['DELETE','/gateways/warehouse'],['GET','/gateways/warehouse'],['PATCH','/gateways/warehouse']] as const) {
    const x = await gw.api(m, p, b);
    console.log(m, p, x.status, x.headers.get('etag'), x.headers.get('content-type'), (await x.text()).slice(0, 1500));
  }
  await gw.close(); await up.close();
  expect(1).toBe(1);
});
