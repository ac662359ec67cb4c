/** Eight processes on one Redis: how soon all of them serve what one of them was told, whatever befalls some of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServingPostern } from '../support/postern.ts';
import { startProcessFleet } from '../support/process-fleet.ts';
import type { ProcessFleet } from '../support/process-fleet.ts';
import { scaled } from '../support/soak-scale.ts';
import { startTcpGate } from '../support/tcp-gate.ts';
import type { TcpGate } from '../support/tcp-gate.ts';
import { until } from '../support/until.ts';

const INSTANCES = 8;
const ROTATIONS = scaled(100, 10);
const STORE_GONE_MS = scaled(10_000, 2_000);

let fleet: ProcessFleet;
/** Between the last process and the store. */
let gate: TcpGate;
let changes = 0;

beforeAll(async () => {
  fleet = await startProcessFleet(INSTANCES, async (index, url) => {
    if (index < INSTANCES - 1) return url;
    gate = await startTcpGate(Number(new URL(url).port));
    return gate.through(url);
  });
});
afterAll(async () => {
  await fleet.close();
  await gate.close();
});

const at = (index: number): ServingPostern => fleet.instances[index] as ServingPostern;

/** Changes the client certificate at one of them. */
async function rotateAt(index: number): Promise<void> {
  const { status } = await fleet.api(at(index), 'PUT', '/v1/gateways/up', fleet.identities[++changes % 2]);
  expect(status).toBe(200);
}

/** From writing a generation to serving it at this instance, as its log has it. */
function lagOf(instance: ServingPostern, generation: number): number | undefined {
  const line = new RegExp(`^.*"rotation.applied".*"generation":${generation},.*$`, 'm').exec(instance.stderr())?.[0];
  return line === undefined ? undefined : (JSON.parse(line) as { lagMs: number }).lagMs;
}

/** Rotates at one of them; how many milliseconds it took until the last of all served it. */
async function slowestAfter(index: number): Promise<number> {
  await rotateAt(index);
  const { number = 0 } = (await fleet.fleetAt(at(index))).generation ?? {};
  await until(() => fleet.instances.every((instance) => lagOf(instance, number) !== undefined));
  return Math.max(...fleet.instances.map((instance) => lagOf(instance, number) ?? Number.NaN));
}

const percentile = (values: readonly number[], of: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * of))] ?? Number.NaN;

test(`${ROTATIONS} rotations reach ${INSTANCES} processes`, async () => {
  const slowest: number[] = [];
  for (let rotation = 0; rotation < ROTATIONS; rotation++) slowest.push(await slowestAfter(rotation % INSTANCES));
  console.log(
    `until the last of ${INSTANCES} served it: p50 ${percentile(slowest, 0.5)} ms, p99 ${percentile(slowest, 0.99)} ms ` +
      `(goal 250), worst ${Math.max(...slowest)} ms`,
  );
});

test('one that is killed and one that is cut off come to it in the end', async () => {
  const others = fleet.instances.slice(1, -1);
  const calls = await fleet.whileCalled([...others, at(INSTANCES - 1)], async () => {
    await gate.shut('refuse');
    await at(0).kill();
    await rotateAt(1);
    await until(async () => {
      const { instances } = await fleet.fleetAt(at(1));
      return instances.filter(({ state }) => state === 'current').length === others.length;
    });
    await gate.open();
    fleet.instances[0] = await fleet.serve();
    await fleet.untilConverged(at(0), INSTANCES);
  });
  console.log(`${calls} calls meanwhile, none failed`);
});

test(`nothing is lost while the store is gone for ${STORE_GONE_MS / 1000} s`, async () => {
  const calls = await fleet.whileCalled(fleet.instances, async () => {
    await fleet.redis.kill();
    expect((await fleet.api(at(2), 'POST', '/v1/rotation', {})).status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, STORE_GONE_MS));
    const health = (await (await fetch(at(3).health)).json()) as object;
    expect(health).toMatchObject({ status: 'degraded', rotation: { storeLostAt: expect.any(String) as string } });
    await fleet.redis.restart();
    await until(async () => (await fleet.api(at(2), 'POST', '/v1/rotation', {})).status === 202);
    await fleet.untilConverged(at(4), INSTANCES);
  });
  console.log(`${calls} calls meanwhile, none failed`);
  expect(await slowestAfter(5)).toBeLessThan(5_000);
});
