import { expect, test } from 'vitest';
import { makeCanaryKey } from '../support/canaries.ts';
import { startGateway } from '../support/gateway.ts';
import { connectClient } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const TOKEN = 'canary-token-4711';

test('a private key and its passphrase appear in no answer, no log, no metric and not in the store', async () => {
  const ca = await (await mintPki()).ca('CA');
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  const client = await ca.issue({ cn: 'client' });
  const canary = makeCanaryKey(client.keyPem, [TOKEN]);
  const { encryptedPem: encrypted, passphrase } = canary;
  const upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true },
  });
  const folder = await makeTempFolder();
  const gateway = await startGateway({
    settings: { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db`, LOG_LEVEL: 'debug' },
  });
  const seen: string[] = [];
  const call = async (method: string, path: string, body?: unknown): Promise<number> => {
    const response = await gateway.api(method, path, body);
    seen.push(JSON.stringify([...response.headers]), await response.text());
    return response.status;
  };
  const secrets = { client_key: encrypted, client_key_password: passphrase, auth_type: 'bearer', auth_token: TOKEN };
  const fields = { name: 'up', url: upstream.url, ca_certificate: ca.pem, client_cert: client.chainPem, ...secrets };
  try {
    const next = { client_cert: client.chainPem, client_key: encrypted, client_key_password: passphrase };
    expect(await call('POST', '/v1/gateways', { ...fields, next })).toBe(200);
    const wrong = [
      { client_key_password: `${passphrase}x` },
      { client_cert: server.chainPem, client_key: encrypted },
      { client_cert: encrypted, ca_certificate: encrypted },
      { ca_certificate: client.keyPem },
      { crl: client.keyPem },
      { pins: [passphrase] },
      { url: `https://ann:${passphrase}@127.0.0.1/` },
      { client_key: encrypted.replaceAll('\n', ' ').replace('END', 'EMD') },
      { client_key: encrypted.split('\n').toReversed().join('\n') },
      { client_key: { pem: encrypted } },
      { auth_header_value: TOKEN },
      { server_name: passphrase, auth_token: `${TOKEN}\n` },
      { auth_type: TOKEN },
    ];
    for (const body of wrong) expect([400, 422]).toContain(await call('PUT', '/v1/gateways/up', body));
    expect(await call('POST', '/v1/gateways', fields)).toBe(409);
    const bundle = { client_cert: client.bundlePem, client_key: client.bundlePem, client_key_password: null };
    expect(await call('PUT', '/v1/gateways/up', bundle)).toBe(200);
    for (const path of ['', '/up']) expect(await call('GET', `/v1/gateways${path}`)).toBe(200);
    for (const path of ['check', 'refresh']) expect(await call('POST', `/v1/gateways/up/${path}`)).toBe(200);
    expect(await call('GET', '/metrics')).toBe(200);
    const agent = await connectClient(`${gateway.url}/mcp`, await gateway.token('ann'), 'legacy');
    seen.push(JSON.stringify(await agent.listTools()));
    await agent.close();
    upstream.intercept = () => new Response(null, { status: 401 });
    expect(await call('POST', '/v1/gateways/up/refresh')).toBe(502);
    await gateway.gateway.reload('operator');
    const places = { answers: seen.join('\n'), logs: JSON.stringify(gateway.events), store: await folder.bytes() };
    expect(places.store).toContain('"sealed"');
    for (const [place, text] of Object.entries(places)) {
      expect(text.length).toBeGreaterThan(1000);
      expect(canary.countIn(text), place).toBe(0);
    }
  } finally {
    await gateway.close();
    await folder.remove();
    await upstream.close();
  }
});
