/** A gateway that is registered behind itself, or behind one that stands behind it, does not call itself for ever. */
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';

const closing = closeAfterEach();

async function gateway(): Promise<TestGateway> {
  const started = await startGateway();
  closing.push(() => started.close());
  return started;
}

const behind = async (inner: TestGateway, name: string) => ({
  name,
  url: `${inner.url}/mcp`,
  auth_type: 'bearer',
  auth_token: await inner.token('outer', 'user'),
});

test('registered behind itself it is refused, and nothing is stored', async () => {
  const a = await gateway();
  await expect(a.register(await behind(a, 'myself'))).rejects.toThrow('loop_detected');
  expect(a.gateway.registry.list()).toEqual([]);
});

test.each(['legacy', 'modern'] as const)(
  'of two gateways behind each other both serve %s clients what is behind them',
  async (era) => {
    const upstream = await startMcpUpstream();
    closing.push(() => upstream.close());
    const [a, b] = [await gateway(), await gateway()];
    await a.register({ name: 'tools', url: upstream.url });
    await b.register(await behind(a, 'a'));
    await a.register(await behind(b, 'b'));

    const client = await connectClient(`${b.url}/mcp`, await b.token('ann', 'user'), era);
    closing.push(() => client.close());
    const called = await client.callTool({ name: 'a_tools_echo', arguments: { text: 'through two' } });
    expect(textOf(called)).toBe('through two');
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('a_tools_echo');
  },
);
