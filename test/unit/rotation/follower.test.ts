import { expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { Follower } from '../../../src/rotation/follower.ts';
import { Generations } from '../../../src/rotation/generations.ts';
import { Instances } from '../../../src/rotation/instances.ts';
import { Rotation } from '../../../src/rotation/rotation.ts';
import { StoreLink } from '../../../src/rotation/store-link.ts';
import { RecordStore } from '../../../src/store/records.ts';
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
