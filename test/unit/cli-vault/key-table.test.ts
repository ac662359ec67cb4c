import { expect, test } from 'vitest';
import { keyTable, printKeyTable } from '../../../adapters/node-compat/cli/vault/key-table.ts';
import type { InstanceState } from '../../../src/rotation/instances.ts';
import { recordLines } from '../../support/recorded-lines.ts';

const live = (name: string, ...vaultKeys: readonly string[]): InstanceState => ({
  id: name,
  name,
  generation: 1,
  seen: 1,
  at: '',
  problems: [],
  vaultKeys,
  alive: true,
});
const used = (kid: string, records: number, values = 0) => ({ kid, records, values });
const uses = (...keys: ReturnType<typeof used>[]) => ({ keys, refused: [] });
const statesOf = (...arguments_: Parameters<typeof keyTable>) =>
  Object.fromEntries(keyTable(...arguments_).map(({ kid, state }) => [kid, state]));

test('the first key is primary, an older one retired while it protects something and unused after', () => {
  expect(statesOf(['k3', 'k2', 'k1'], uses(used('k3', 2), used('k2', 0, 1)), [])).toEqual({
    k3: 'primary',
    k2: 'retired',
    k1: 'unused',
  });
});

test('a key an instance seals with is needed, whatever is in the store', () => {
  const instances = [live('a', 'k1', 'k2'), live('b', 'k2', 'k1')];
  const rows = keyTable(['k2', 'k1'], uses(used('k2', 4)), instances);
  expect(rows).toMatchObject([
    { kid: 'k2', state: 'primary', heldBy: ['a', 'b'], sealsAt: ['b'] },
    { kid: 'k1', state: 'retired', heldBy: ['a', 'b'], sealsAt: ['a'] },
  ]);
});

test('a key that is needed and not at hand is missing, one that only instances hold is elsewhere', () => {
  expect(statesOf(['k1'], uses(used('k1', 1), used('k0', 3)), [live('a', 'k1', 'k9')])).toEqual({
    k1: 'primary',
    k0: 'missing',
    k9: 'elsewhere',
  });
});

test('the table says what each protects and how many hold it', () => {
  const { io, out } = recordLines();
  const instances = [live('a', 'k2', 'k1'), live('b', 'k2')];
  printKeyTable(keyTable(['k2', 'k1'], uses(used('k2', 12, 3)), instances), instances.length, io);
  printKeyTable(keyTable(['k1'], uses(), []), 0, io);
  expect(out).toEqual([
    'k2  primary  12 records  3 sealed values  held by 2 of 2 instances',
    'k1  unused   0 records   0 sealed values  held by 1 of 2 instances',
    'k1  primary  0 records  0 sealed values  no instance runs',
  ]);
});
