/** nginx before Postern, for real, with deploy/nginx/nginx.conf. */
import { expect, test } from 'vitest';
import { frontProxyContract } from '../contract/front-proxy-contract.ts';
import { startNginx } from '../support/nginx.ts';
import { mintPki } from '../support/pki.ts';

frontProxyContract(startNginx, { file: 'nginx/nginx.conf', speaksHttp2: false });

test('with the variable the seed document has, it does not start', async () => {
  const ca = await (await mintPki()).ca('CA');
  const server = await ca.issue({ cn: 'gateway.example.com', eku: 'server' });
  const edits = [['$client_common_name;', '$ssl_client_s_dn_cn;']] as const;
  const starting = startNginx({ behind: 'http://127.0.0.1:1', server, callersCa: ca.pem, edits });
  await expect(starting).rejects.toThrow('unknown "ssl_client_s_dn_cn" variable');
});
