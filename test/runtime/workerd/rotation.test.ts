/** Instances in two data centres over one database: what one is told, the other takes up when it looks. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startStrictUpstream } from '../../support/strict-upstream.ts';
import type { StrictUpstream } from '../../support/strict-upstream.ts';
import { until } from '../../support/until.ts';
import { startWorkerdGateway } from '../../support/workerd-gateway.ts';
import type { WorkerdGateway } from '../../support/workerd-gateway.ts';

let strict: StrictUpstream;
let gateway: WorkerdGateway;
beforeEach(async () => {
  strict = await startStrictUpstream();
  const second = await strict.ca.issue({ cn: 'second', eku: 'client' });
  gateway = await startWorkerdGateway({
    certificates: { FIRST: strict.client, SECOND: second },
    trusted: [strict.ca.pem],
    texts: { POSTERN_POLL_INTERVAL: '1' },
  });
  await gateway.register({ name: 'up', url: strict.upstream.url, client_binding: 'FIRST' });
});
afterEach(async () => {
  await gateway?.close();
  await strict?.upstream.close();
});

const names = async (place: string): Promise<string[]> => {
  const { body } = await gateway.api('GET', '/v1/rotation', undefined, place);
  return (body['instances'] as { name: string }[]).map(({ name }) => name).toSorted();
};

/** Whose certificate the call of this text came with. */
const subjectOf = (text: string) =>
  strict.upstream
    .requestsOf('tools/call')
    .findLast(({ params }) => (params?.['arguments'] as { text?: string } | undefined)?.text === text)?.clientSubject;

test('a change at one instance reaches the other within the interval, and all acknowledge it', async () => {
  for (const place of ['AMS', 'SIN']) {
    expect(await gateway.call('up_echo', { text: place }, place)).toBe(place);
    expect(subjectOf(place)).toBe('postern-client');
  }
  expect(await names('AMS')).toEqual(['workers:AMS', 'workers:SIN', 'workers:home']);
  const { status } = await gateway.api('PUT', '/v1/gateways/up', { client_binding: 'SECOND' }, 'AMS');
  expect(status).toBe(200);
  const called = async (): Promise<string | undefined> => {
    expect(await gateway.call('up_echo', { text: 'changed' }, 'SIN')).toBe('changed');
    return subjectOf('changed');
  };
  await until(async () => (await called()) === 'second');
  await until(async () => (await gateway.api('GET', '/v1/rotation', undefined, 'AMS')).body['converged'] === true);
});

test('a tick of cron wakes an instance, which looks after upstreams nobody calls', async () => {
  await gateway.restart();
  expect(strict.upstream.requests.filter(({ rpcMethod }) => rpcMethod === 'ping')).toEqual([]);
  const before = strict.upstream.requests.length;
  await gateway.tick();
  await until(() => strict.upstream.requests.length > before);
  expect(await names('home')).toContain('workers:home');
});

test('what is registered is there after a new start, and opens with its keys only', async () => {
  await gateway.restart();
  expect(await gateway.call('up_echo', { text: 'again' })).toBe('again');
  await gateway.restart({ POSTERN_VAULT_KEYS: `other:${Buffer.alloc(32, 7).toString('base64')}` });
  expect(JSON.stringify((await gateway.api('GET', '/v1/gateways')).body)).toContain('vault_key_unknown');
  expect(await gateway.call('up_echo', { text: 'with other keys' })).not.toBe('with other keys');
});

test('over Workers KV it serves as well, and warns', async () => {
  await gateway.restart({ POSTERN_STORAGE: 'cf-kv:KV' });
  await gateway.register({ name: 'up', url: strict.upstream.url, client_binding: 'SECOND' });
  expect(await gateway.logged('config.warned')).toMatchObject({ setting: 'POSTERN_STORAGE' });
  expect(await gateway.call('up_echo', { text: 'kept' }, 'AMS')).toBe('kept');
  expect(subjectOf('kept')).toBe('second');
});

test('a cut ends what runs at every instance, and the next call goes well', async () => {
  const held = gateway.call('up_hold', { text: 'held' }, 'SIN');
  await until(() => strict.upstream.isHolding('held'));
  const cut = { action: 'reread', gateway: 'up', cut: true };
  expect((await gateway.api('POST', '/v1/rotation', cut, 'AMS')).status).toBe(202);
  expect(await held).toContain('connection_cut');
  expect(await gateway.call('up_echo', { text: 'afterwards' }, 'SIN')).toBe('afterwards');
});
