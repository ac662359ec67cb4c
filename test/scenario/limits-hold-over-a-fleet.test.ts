/** Two gateways over one Redis let through together what one would, and each by itself what it may once Redis is gone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, makeKeys } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';

const BURST = 100;
/** What an instance may hold and not hand out. */
const LEASED = 15;

let redis: TestServer;
let fleet: readonly TestGateway[];
beforeAll(async () => {
  redis = await startRedis();
  const settings = { POSTERN_STORAGE: redis.url, POSTERN_LIMITS: `subject=36000/hour,burst=${BURST}` };
  const keys = makeKeys();
  fleet = [await startGateway({ settings, keys }), await startGateway({ settings, keys })];
});
afterAll(async () => {
  for (const gateway of fleet) await gateway.close();
  await redis.close();
});

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

/** So many calls at each gateway, in turns of ten at once: how many were let through, and in what time. */
async function callEach(subject: string, count: number) {
  const token = await fleet[0]?.token(subject);
  const startedMs = performance.now();
  const statuses: number[] = [];
  const ask = async ({ url }: TestGateway): Promise<void> => {
    const answer = await postMessage(`${url}/mcp`, token ?? '', ping);
    await answer.text();
    statuses.push(answer.status);
  };
  for (let sent = 0; sent < count; sent += 10)
    await Promise.all(fleet.flatMap((gateway) => Array.from({ length: 10 }, () => ask(gateway))));
  const passed = statuses.filter((status) => status === 200).length;
  expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
  return { passed, seconds: (performance.now() - startedMs) / 1000 };
}

/** All that may pass in a time. */
const most = (seconds: number): number => BURST + Math.ceil(seconds * 10) + 1;

test('the fleet lets through what one would, but for what an instance holds', async () => {
  const { passed, seconds } = await callEach('ann', 120);
  expect(passed).toBeLessThanOrEqual(most(seconds));
  expect(passed).toBeGreaterThanOrEqual(BURST - 2 * LEASED);
  // somebody else has a bucket of his own
  expect((await callEach('bob', 20)).passed).toBe(40);
});

test('once Redis is gone each counts for itself and says so, and together again when it is back', async () => {
  await redis.kill();
  const { passed, seconds } = await callEach('eve', 120);
  // the one that was there first fails, and is counted here
  expect(passed).toBeGreaterThanOrEqual(2 * BURST);
  expect(passed).toBeLessThanOrEqual(2 * most(seconds));
  for (const gateway of fleet) expect(gateway.countOf('limits.apart')).toBe(1);
  await redis.restart();
  const token = (await fleet[0]?.token('zoe')) ?? '';
  for (const gateway of fleet)
    await expect
      .poll(async () => {
        await (await postMessage(`${gateway.url}/mcp`, token, ping)).text();
        return gateway.countOf('limits.together');
      })
      .toBe(1);
  const again = await callEach('kim', 120);
  expect(again.passed).toBeLessThanOrEqual(most(again.seconds));
  expect(JSON.stringify(fleet.map(({ events }) => events))).not.toContain(redis.password);
});
