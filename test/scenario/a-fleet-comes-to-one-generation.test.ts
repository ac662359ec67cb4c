import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFleet } from '../support/fleet.ts';
import type { Fleet } from '../support/fleet.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { startStrictUpstream } from '../support/strict-upstream.ts';
import type { StrictUpstream } from '../support/strict-upstream.ts';
import { until } from '../support/until.ts';

interface FleetRead {
  readonly generation: { readonly number: number; readonly reason: string; readonly by: string } | null;
  readonly converged: boolean;
  readonly instances: readonly {
    readonly state: string;
    readonly generation: number;
    readonly problems: readonly { readonly name: string; readonly code: string }[];
  }[];
}

const read = async (gateway: TestGateway): Promise<FleetRead> =>
  (await (await gateway.api('GET', '/v1/rotation')).json()) as FleetRead;
const rotate = async (gateway: TestGateway, body: object = {}): Promise<FleetRead> => {
  const response = await gateway.api('POST', '/v1/rotation', body);
  expect(response.status).toBe(202);
  return (await response.json()) as FleetRead;
};
const slugsOf = ({ gateway }: TestGateway) => gateway.registry.list().map(({ record }) => record?.slug);
const presentedBy = ({ gateway }: TestGateway) =>
  gateway.registry.snapshot().bySlug('up')?.upstream.config.profile?.identity?.chain[0]?.facts.sha256;

describe.each(['redis', 'sqlite'])('over %s', (store) => {
  let redis: TestServer | undefined;
  let strict: StrictUpstream;
  let fleet: Fleet;

  beforeAll(async () => {
    redis = store === 'redis' ? await startRedis() : undefined;
    strict = await startStrictUpstream();
    fleet = await startFleet(3, redis ? { POSTERN_STORAGE: redis.url } : { POSTERN_POLL_INTERVAL: '1' });
  });
  afterAll(async () => {
    await fleet.close();
    await strict.upstream.close();
    await redis?.close();
  });

  const at = (index: number): TestGateway => fleet.gateways[index] as TestGateway;

  test('a gateway registered at one serves at all', async () => {
    await at(0).register(strict.fields);
    await until(() => fleet.gateways.every((gateway) => slugsOf(gateway).includes('up')));
    await until(async () => (await read(at(1))).converged);
    const { generation, instances } = await read(at(2));
    expect(generation).toMatchObject({ number: 1, reason: 'change', by: 'operator' });
    expect(instances.map(({ state }) => state)).toEqual(['current', 'current', 'current']);
  });

  test('a certificate replaced at one is presented by all', async () => {
    const second = await strict.ca.issue({ cn: 'second', eku: 'client' });
    const change = { client_cert: second.chainPem, client_key: second.keyPem };
    expect((await at(1).api('PUT', '/v1/gateways/up', change)).status).toBe(200);
    const presented = presentedBy(at(1));
    await until(() => fleet.gateways.every((gateway) => presentedBy(gateway) === presented));
    await until(async () => (await read(at(0))).converged);
    expect((await read(at(0))).generation).toMatchObject({ number: 2 });
  });

  test('a virtual server saved at one is found at all, and its removal too', async () => {
    expect((await at(2).api('POST', '/v1/servers', { name: 'Desk', members: [{ gateway: 'up' }] })).status).toBe(201);
    const statusAt = async (gateway: TestGateway) => (await gateway.api('GET', '/v1/servers/desk')).status;
    await until(async () => (await Promise.all(fleet.gateways.map(statusAt))).every((status) => status === 200));
    expect((await at(0).api('DELETE', '/v1/servers/desk')).status).toBe(200);
    await until(async () => (await Promise.all(fleet.gateways.map(statusAt))).every((status) => status === 404));
  });

  test('a rotation somebody asks for is acknowledged by each', async () => {
    const { generation } = await rotate(at(0), { gateway: 'up' });
    expect(generation).toMatchObject({
      reason: 'request',
      by: 'operator',
      scope: [expect.stringMatching(/^gateway:/)],
    });
    await until(async () => (await read(at(1))).converged);
    const { instances } = await read(at(1));
    expect(instances.map((instance) => instance.generation)).toEqual(Array(3).fill(generation?.number));
  });

  test('a removal at one is a removal at all', async () => {
    expect((await at(1).api('DELETE', '/v1/gateways/up')).status).toBe(200);
    await until(() => fleet.gateways.every((gateway) => slugsOf(gateway).length === 0));
  });
});
