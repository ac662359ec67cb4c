import { expect, test } from 'vitest';
import { judge } from '../../../adapters/node-compat/cli/rotate/judge.ts';
import { printFleet, printVerdict } from '../../../adapters/node-compat/cli/rotate/print.ts';
import type { FleetView } from '../../../src/rotation/fleet-view.ts';
import { instance, problem, view } from '../../support/fleet-view.ts';
import { recordLines } from '../../support/recorded-lines.ts';

const AT = '2026-07-01T00:00:00.000Z';

function shown(seen: FleetView) {
  const { io, out, err } = recordLines();
  printFleet(seen, io);
  return { out, err };
}

function waited(seen: FleetView) {
  const { io, out, err } = recordLines();
  printVerdict(seen, judge(seen, { generation: 7, gateway: undefined }), 60, io);
  return { out, err };
}

test('a fleet is a line about the generation, one per instance, and what keeps them', () => {
  expect(shown(view(instance('a:1', 'current', 7), instance('bee:2', 'failed', 6, [problem('up')])))).toEqual({
    out: [
      `generation 7: request by ann at ${AT}`,
      `a:1    current  generation 7  ${AT}`,
      `bee:2  failed   generation 6  ${AT}`,
      'bee:2: up: expected PEM, met something else (ca_unreadable)',
    ],
    err: [],
  });
});

test('that all serve it, that nothing was written yet and that the store is lost is said', () => {
  expect(shown({ ...view(instance('a:1', 'current', 7)), converged: true }).out[0]).toContain(', served by all');
  expect(shown({ ...view(), generation: null, storeLostAt: AT })).toEqual({
    out: ['no generation was written yet', 'no instance runs over this store'],
    err: [`the store cannot be read since ${AT}: how far others are is not known`],
  });
});

test('a wait that ends names who failed, who is late and who does not count', () => {
  const seen = view(
    instance('a:1', 'current', 7),
    instance('b:2', 'failed', 6, [problem('up'), problem('listener')]),
    instance('c:3', 'behind', 5),
    instance('d:4', 'lapsed', 5),
  );
  expect(waited(seen)).toEqual({
    out: [
      `a:1  current  generation 7  ${AT}`,
      `b:2  failed   generation 6  ${AT}`,
      `c:3  behind   generation 5  ${AT}`,
    ],
    err: [
      'b:2: up: expected PEM, met something else (ca_unreadable)',
      'b:2: listener: expected PEM, met something else (ca_unreadable)',
      'c:3 is behind after 60 s: it serves generation 5',
      'd:4 is not counted: it has said nothing for 15 s or more',
    ],
  });
});

test('that nobody runs is said, unless it is not known', () => {
  expect(waited(view())).toEqual({ out: [], err: ['no instance runs over this store'] });
  expect(waited({ ...view(), storeLostAt: AT }).err).toEqual([expect.stringContaining('the store cannot be read')]);
});

test('what an instance says of itself does not reach the terminal with control characters', () => {
  const { out, err } = waited(view(instance('a\u001B[2J', 'failed', 1, [problem('u\u0007p')])));
  expect(`${out.join('')}${err.join('')}`).not.toMatch(/\p{Cc}/u);
});
