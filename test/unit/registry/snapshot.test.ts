import { expect, test } from 'vitest';
import { snapshotOf } from '../../../src/registry/snapshot.ts';
import type { ReadableGateway } from '../../../src/registry/snapshot.ts';

/** As much of a gateway as a snapshot looks at. */
const gateway = (id: string, slug: string, createdAt: string) =>
  ({
    id,
    upstream: {},
    record: { id, slug, name: slug, prefix: `${slug}_`, enabled: true, labels: {}, history: { createdAt } },
  }) as unknown as ReadableGateway;

const ids = (...gateways: ReadableGateway[]) => snapshotOf(gateways).entries.map(({ id }) => id);

test('entries are in the order of registration, and those without an upstream are left out', () => {
  expect(
    ids(gateway('c', 'c', '3'), { ...gateway('a', 'a', '2'), upstream: undefined }, gateway('b', 'b', '1')),
  ).toEqual(['b', 'c']);
});

test('of two gateways with one slug the older serves, in whichever order they were read', () => {
  const [older, newer] = [gateway('older', 'twin', '1'), gateway('newer', 'twin', '2')];
  expect([ids(older, newer), ids(newer, older)]).toEqual([['older'], ['older']]);
  expect(snapshotOf([newer, older]).bySlug('twin')?.id).toBe('older');
});
