import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';

test('a gateway stored without connecting is connected in the background', async () => {
  const upstream = await startMcpUpstream();
  const gateway = await startGateway();
  try {
    const refused = Promise.withResolvers<void>();
    const served = Promise.withResolvers<void>();
    upstream.intercept = () => {
      refused.resolve();
      return new Response('not yet', { status: 503 });
    };
    const created = await gateway.api('POST', '/v1/gateways?connect=false', { name: 'up', url: upstream.url });
    expect(await created.json()).toMatchObject({ status: 'pending', reachable: false, toolCount: 0 });
    await refused.promise;
    upstream.intercept = ({ rpcMethod }) => {
      if (rpcMethod === 'resources/templates/list') served.resolve();
      return undefined;
    };
    await served.promise;
    await expect
      .poll(async () => (await gateway.api('GET', '/v1/gateways/up')).json())
      .toMatchObject({ status: 'active', reachable: true });
    await expect.poll(() => gateway.gateway.records.ids('listing')).toHaveLength(1);
  } finally {
    await gateway.close();
    await upstream.close();
  }
});

test('of two refreshes at once the second is refused', async () => {
  const upstream = await startMcpUpstream();
  const gateway = await startGateway();
  try {
    await gateway.register({ name: 'up', url: upstream.url });
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    upstream.intercept = async ({ rpcMethod }) => {
      if (rpcMethod !== 'server/discover') return undefined;
      arrived.resolve();
      await release.promise;
      return undefined;
    };
    const first = gateway.api('POST', '/v1/gateways/up/refresh');
    await arrived.promise;
    const second = await gateway.api('POST', '/gateways/up/tools/refresh?include_resources=true');
    expect(second.status).toBe(409);
    expect(await second.json()).toMatchObject({ code: 'refresh_running', retryable: true });
    release.resolve();
    expect((await first).status).toBe(200);
  } finally {
    await gateway.close();
    await upstream.close();
  }
});
