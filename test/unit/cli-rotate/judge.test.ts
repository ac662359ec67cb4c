import { expect, test } from 'vitest';
import { isSettled, judge } from '../../../adapters/node-compat/cli/rotate/judge.ts';
import { instance, problem, view } from '../../support/fleet-view.ts';

const everything = { generation: 7, gateway: undefined };
const oneGateway = { generation: 7, gateway: 'up' };

test('who serves the generation is there, who serves an older one is behind', () => {
  const verdict = judge(
    view(instance('a', 'current', 7), instance('b', 'behind', 6), instance('c', 'lapsed', 6)),
    everything,
  );
  expect(verdict.current.map(({ name }) => name)).toEqual(['a']);
  expect(verdict.behind.map(({ name }) => name)).toEqual(['b']);
  expect(verdict.lapsed.map(({ name }) => name)).toEqual(['c']);
  expect(verdict.failed).toEqual([]);
});

test('who tried and could not has failed, with every problem of it', () => {
  const problems = [problem('up'), problem('listener')];
  const { failed } = judge(view(instance('a', 'failed', 6, problems)), everything);
  expect(failed).toMatchObject([{ instance: { name: 'a' }, problems }]);
});

test('of a rotation of one gateway only its problems are told, and those of all gateways', () => {
  const problems = [problem('up'), problem('other'), problem('gateways'), problem('listener')];
  const { failed } = judge(view(instance('a', 'failed', 6, problems)), oneGateway);
  expect(failed[0]?.problems.map(({ name }) => name)).toEqual(['up', 'gateways']);
});

test('a problem of another gateway does not fail the rotation of this one', () => {
  const seen = view(instance('a', 'current', 7, [problem('other')]));
  expect(judge(seen, oneGateway).current).toHaveLength(1);
  expect(judge(seen, everything).failed).toHaveLength(1);
});

test('a later generation that went well hides no problem of this one, and one that is not there yet asks nothing more', () => {
  const failed = instance('a', 'current', 8, [problem('up')]);
  const between = instance('b', 'behind', 7);
  const verdict = judge(view(failed, between), oneGateway);
  expect(verdict.failed.map(({ instance: { name } }) => name)).toEqual(['a']);
  expect(verdict.current.map(({ name }) => name)).toEqual(['b']);
});

test('it is settled once nobody who lives is behind, but not while the store is lost', () => {
  const done = view(instance('a', 'current', 7), instance('b', 'failed', 6), instance('c', 'lapsed', 1));
  expect(isSettled(done, everything)).toBe(true);
  expect(isSettled(view(instance('a', 'behind', 6)), everything)).toBe(false);
  expect(isSettled(view(), everything)).toBe(true);
  expect(isSettled({ ...view(), storeLostAt: '2026-07-01T00:00:00.000Z' }, everything)).toBe(false);
});
