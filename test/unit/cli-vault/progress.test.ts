import { expect, test } from 'vitest';
import { progressTo } from '../../../adapters/node-compat/cli/vault/progress.ts';
import { recordLines } from '../../support/recorded-lines.ts';

test('progress is told twice a second at most', () => {
  const { io, out, err } = recordLines();
  let now = 0;
  const tell = progressTo(io, () => now);
  for (let done = 1; done <= 100; done++) {
    now += 12;
    tell({ done, total: 100, resealed: done - 1 });
  }
  expect(out).toEqual([]);
  expect(err).toEqual(['42 of 100 records looked at, 41 sealed anew', '84 of 100 records looked at, 83 sealed anew']);
});

test('what is over at once is not told of', () => {
  const { io, err } = recordLines();
  const tell = progressTo(io, () => 0);
  tell({ done: 1, total: 1, resealed: 1 });
  expect(err).toEqual([]);
});
