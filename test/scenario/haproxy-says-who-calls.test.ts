/** HAProxy before Postern, for real, with deploy/haproxy/haproxy.cfg. */
import { expect, test } from 'vitest';
import { frontProxyContract } from '../contract/front-proxy-contract.ts';
import { askHttps } from '../support/ask-https.ts';
import { startGateway } from '../support/gateway.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { mintPki } from '../support/pki.ts';

const NAME = 'gateway.example.com';

frontProxyContract(startHaproxy, { file: 'haproxy/haproxy.cfg', speaksHttp2: true });

test('without `mode http` it starts, and passes on what clients send, as docs/proxies.md warns', async () => {
  const ca = await (await mintPki()).ca('CA');
  const server = await ca.issue({ cn: NAME, dns: [NAME], eku: 'server' });
  const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'mallory', eku: 'client' });
  const settings = {
    TRUST_PROXY_AUTH: 'true',
    PROXY_USER_HEADER: 'X-SSL-Client-S-DN-CN',
    POSTERN_ALLOWED_HOSTS: NAME,
  };
  const gateway = await startGateway({ settings });
  const edits = [['    mode http\n', '']] as const;
  const proxy = await startHaproxy({ behind: gateway.url, server, callersCa: ca.pem, edits });
  try {
    const forged = { 'X-SSL-Client-S-DN-CN': 'admin', 'X-SSL-Client-Verify': 'SUCCESS' };
    const headers = { host: NAME, ...forged };
    const tls = { servername: NAME, ca: ca.pem, cert, key, ALPNProtocols: ['http/1.1'] };
    const answer = await askHttps(`https://127.0.0.1:${proxy.port}/v1/gateways`, { ...tls, headers });
    expect(answer.text).toContain('admin has role user');
  } finally {
    await proxy.close();
    await gateway.close();
  }
});
