import { expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { Follower } from '../../../src/rotation/follower.ts';
import { Generations } from '../../../src/rotation/generations.ts';
import { Instances } from '../../../src/rotation/instances.ts';
import { Rotation } from '../../../src/rotation/rotation.ts';
import { StoreLink } from '../../../src/rotation/store-link.ts';
import type { StorageDriver } from '../../../src/store/driver.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { storeUnavailable } from '../../../src/store/unavailable.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import { until } from '../../support/until.ts';
import { mintVault } from '../../support/vault.ts';

const SAID = { name: 'gone', generation: 0, seen: 0, at: '', problems: [], vaultKeys: [] };

test('instances that ended without a word leave nothing in the store', async () => {
  const clock = new ManualClock();
  const { sink } = recordEvents();
  const records = new RecordStore({ storage: openMemory(), sealer: await mintVault(), events: sink });
  const [instances, store] = [new Instances(records, clock), new StoreLink(clock, sink)];
  const rotation = new Rotation({ generations: new Generations(records, clock), store, clock, events: sink });
  await instances.acknowledge('ended', SAID);
  const shared = { rotation, records, instances, store, clock, pollMs: 5_000, watchFiles: undefined };
  const follower = new Follower({ ...shared, id: 'self', name: 'self', vaultKeys: () => [] });
  follower.start();
  clock.advance(9 * 60_000);
  await until(async () => (await records.ids('instance')).includes('self'));
  expect((await instances.list()).map(({ id, alive }) => [id, alive])).toEqual([
    ['ended', false],
    ['self', true],
  ]);
  await until(() => clock.pending >= 3);
  clock.advance(3 * 60_000);
  await until(async () => !(await records.ids('instance')).includes('ended'));
  expect(await records.ids('instance')).toEqual(['self']);
  await follower.stop();
  expect(await records.ids('instance')).toEqual([]);
});

test('a store that is read and takes no writes is lost once, until it takes one', async () => {
  const clock = new ManualClock();
  const log = recordEvents();
  const memory = openMemory();
  let [isReadOnly, refusals] = [true, 0];
  const commit: StorageDriver['commit'] = async (changes) => {
    if (!isReadOnly) return memory.commit(changes);
    refusals++;
    throw storeUnavailable('memory', 'READONLY');
  };
  const storage = { ...memory, commit };
  const records = new RecordStore({ storage, sealer: await mintVault(), events: log.sink });
  const [instances, store] = [new Instances(records, clock), new StoreLink(clock, log.sink)];
  const rotation = new Rotation({ generations: new Generations(records, clock), store, clock, events: log.sink });
  const shared = { rotation, records, instances, store, clock, pollMs: 5_000, watchFiles: undefined };
  const follower = new Follower({ ...shared, id: 'self', name: 'self', vaultKeys: () => [] });
  const lostAtMs = clock.nowMs();
  follower.start();
  for (let beats = 1; beats <= 4; beats++) {
    await until(() => refusals >= beats && clock.pending >= 3);
    await follower.fleet();
    clock.advance(6_000);
  }
  expect([log.count('rotation.store_lost'), log.count('rotation.store_back')]).toEqual([1, 0]);
  expect(rotation.status.storeLostAtMs).toBe(lostAtMs);
  isReadOnly = false;
  await follower.fleet();
  expect([log.count('rotation.store_lost'), log.count('rotation.store_back')]).toEqual([1, 1]);
  expect(rotation.status.storeLostAtMs).toBeUndefined();
  await follower.stop();
});
