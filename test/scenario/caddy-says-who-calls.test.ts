/** Caddy before Postern, for real, with deploy/caddy/Caddyfile. */
import { expect, test } from 'vitest';
import { frontProxyContract } from '../contract/front-proxy-contract.ts';
import { askHttps } from '../support/ask-https.ts';
import { startCaddy } from '../support/caddy.ts';
import { startGateway } from '../support/gateway.ts';
import { mintPki } from '../support/pki.ts';

frontProxyContract(startCaddy, { file: 'caddy/Caddyfile', speaksHttp2: true });

test('with the placeholder the seed document has, everyone would be the same, and nobody is let in', async () => {
  const ca = await (await mintPki()).ca('CA');
  const server = await ca.issue({ cn: 'gateway.example.com', dns: ['gateway.example.com'], eku: 'server' });
  const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'ann', eku: 'client' });
  const settings = { TRUST_PROXY_AUTH: 'true', POSTERN_ALLOWED_HOSTS: 'gateway.example.com' };
  const gateway = await startGateway({ settings });
  const edits = [
    ['X-SSL-Client-S-DN-CN {client_common_name}', 'X-Authenticated-User {http.request.tls.client.subject_cn}'],
  ] as const;
  const proxy = await startCaddy({ behind: gateway.url, server, callersCa: ca.pem, edits });
  try {
    const host = 'gateway.example.com';
    const tls = { servername: host, ca: ca.pem, cert, key };
    const refused = await askHttps(`https://127.0.0.1:${proxy.port}/v1/gateways`, { ...tls, headers: { host } });
    expect(refused.status).toBe(401);
    expect(refused.text).toContain('holds a placeholder');
  } finally {
    await proxy.close();
    await gateway.close();
  }
});
