/** A gateway with a time limit for its server: a call that takes longer ends, here and there, and its caller hears why. */
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { bare, modern, openCallers } from '../support/callers.ts';
import { startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';

const closing = closeAfterEach();

async function slow(era: 'legacy' | 'modern' | 'dual', jsonResponses = false) {
  const upstream = await startMcpUpstream({ era, jsonResponses });
  closing.push(() => upstream.close());
  const gateway = await startGateway();
  closing.push(() => gateway.close());
  await gateway.register({ name: 'slow', url: upstream.url, request_timeout_seconds: 1 });
  const callers = openCallers(gateway.url, await gateway.token('ann'), 1);
  closing.push(() => callers.close());
  return { upstream, callers };
}

const TIMEOUT = /"error":.*did not complete its answer within 1000 ms.*"code":"upstream_timeout"/;

test.each([true, false])('a server of the legacy era is told (answers as JSON: %s)', async (jsonResponses) => {
  const { upstream, callers } = await slow('legacy', jsonResponses);
  const route = await callers.session('/servers/slow/mcp', 'hold');
  const failing = expect(callers.call(route, 'x')).rejects.toThrow(
    jsonResponses ? TIMEOUT : /upstream_timeout|terminated/,
  );
  await failing;
  while (upstream.requestsOf('notifications/cancelled').length === 0) await new Promise(setImmediate);
  const [call] = upstream.requestsOf('tools/call');
  expect(upstream.requestsOf('notifications/cancelled')[0]?.params).toMatchObject({ requestId: call?.rpcId });
});

test.each([modern('/servers/slow/mcp', 'hold'), modern('/mcp', 'slow_hold'), bare('/mcp', 'slow_hold')])(
  'a server of the modern era sees the stream close ($path, $tool)',
  async (route) => {
    const { upstream, callers } = await slow('modern');
    await expect(callers.call(route, 'x')).rejects.toThrow(TIMEOUT);
    while (upstream.held > 0) await new Promise(setImmediate);
  },
);

test('what is in time is left alone', async () => {
  const { callers } = await slow('dual');
  expect(await callers.call(modern('/mcp', 'slow_echo'), 'quick')).toBe('quick');
});
