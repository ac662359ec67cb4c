import { expect, test } from 'vitest';
import type { Level } from '../../../src/base/events/level.ts';
import { createLog } from '../../../src/observe/log-line.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function logged(level: Level, pretty = false) {
  const lines: string[] = [];
  const events = createLog({ write: (line) => lines.push(line), level, pretty, clock: new ManualClock() });
  events('cache.used', { cache: 'context', outcome: 'hit' });
  events('upstream.changed', { gateway: 'time' });
  events('upstream.failed', {
    gateway: 'time',
    code: 'tls_unknown_ca',
    message: 'a\u001b[31m "b"\u009b\nc',
    during: 'health',
  });
  events('task.failed', { task: 'poll', message: 'x' });
  return lines;
}

test.each([
  ['debug', 4],
  ['info', 3],
  ['warn', 2],
  ['error', 1],
] as const)('at level %s %i of four events are written', (level, count) => {
  expect(logged(level)).toHaveLength(count);
});

test('a line is one JSON object with time, level and event first', () => {
  const [line = ''] = logged('error');
  expect(line).toBe(
    '{"time":"2026-01-01T00:00:00.000Z","level":"error","event":"task.failed","task":"poll","message":"x"}\n',
  );
});

test('a line for people stays one line and holds no control characters', () => {
  const [, line = ''] = logged('info', true);
  expect(line).toBe(
    String.raw`00:00:00 warn  upstream.failed gateway=time code=tls_unknown_ca message="a\u001b[31m \"b\"\u009b\nc" during=health` +
      '\n',
  );
});
