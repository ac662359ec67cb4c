/** ContextForge bug B3: after its TLS cache was cleared (SIGHUP), a refresh failed on the custom CA. */
import { expect, test } from 'vitest';
import { makeKeys, startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

test('a refresh works after a reload, on new connections, with an empty cache and after a restart', async () => {
  const ca = await (await mintPki()).ca('CA');
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  const client = await ca.issue({ cn: 'client' });
  const upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true },
  });
  const folder = await makeTempFolder();
  const settings = { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db`, SSL_CONTEXT_CACHE_MAX_SIZE: '1' };
  const keys = makeKeys();
  try {
    const before = await startGateway({ settings, keys });
    try {
      await before.register({
        name: 'up',
        url: upstream.url,
        ca_certificate: ca.pem,
        client_cert: client.chainPem,
        client_key: client.keyPem,
      });
      await before.gateway.reload('operator');
      upstream.dropConnections();
      expect((await before.api('POST', '/v1/gateways/up/tools/refresh')).status).toBe(200);
    } finally {
      await before.close();
    }
    const after = await startGateway({ settings, keys });
    try {
      const refreshed = await after.api('POST', '/v1/gateways/up/refresh');
      expect(refreshed.status).toBe(200);
      expect(await refreshed.json()).toMatchObject({ success: true, toolsAdded: 0, toolsRemoved: 0 });
    } finally {
      await after.close();
    }
    expect(new Set(upstream.requests.map(({ clientSubject }) => clientSubject))).toEqual(new Set(['client']));
  } finally {
    await folder.remove();
    await upstream.close();
  }
});
