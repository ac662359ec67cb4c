/** ContextForge bug B14: gateway_mode direct_proxy went past the TLS settings; and its CA signatures failed open (B11). */
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

test('what would be weaker than it looks is refused with its own code', async () => {
  const gateway = await startGateway();
  try {
    for (const fields of [{ gateway_mode: 'direct_proxy' }, { ca_certificate_sig: '00' }, { auth_type: 'oauth' }]) {
      const response = await gateway.api('POST', '/v1/gateways?connect=false', {
        name: 'up',
        url: 'https://127.0.0.1:9/',
        ...fields,
      });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({ code: 'feature_unsupported', hint: expect.any(String) });
    }
    expect(await (await gateway.api('GET', '/v1/gateways')).json()).toEqual([]);
  } finally {
    await gateway.close();
  }
});
