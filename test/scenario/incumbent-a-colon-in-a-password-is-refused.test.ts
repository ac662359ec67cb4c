/** ContextForge bug B16: a password with a colon in it was answered with status 400. */
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';

test('a password may contain colons, and arrives whole', async () => {
  const password = ':pass:wörd::';
  const upstream = await startMcpUpstream();
  const gateway = await startGateway();
  const arrived = () =>
    new Set(
      upstream
        .requestsOf('tools/list')
        .map(({ headers }) => Buffer.from(headers.authorization?.slice(6) ?? '', 'base64').toString()),
    );
  try {
    await gateway.register({
      name: 'up',
      url: upstream.url,
      auth_type: 'basic',
      auth_username: 'ann',
      auth_password: password,
    });
    expect(arrived()).toEqual(new Set([`ann:${password}`]));
    upstream.requests.length = 0;
    expect((await gateway.api('PUT', '/v1/gateways/up', { auth_username: 'bob', auth_password: '*****' })).status).toBe(
      200,
    );
    expect(arrived()).toEqual(new Set([`bob:${password}`]));
    const colon = await gateway.api('PUT', '/v1/gateways/up', { auth_username: 'a:b' });
    expect(colon.status).toBe(400);
  } finally {
    await gateway.close();
    await upstream.close();
  }
});
