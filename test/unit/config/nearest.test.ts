import { expect, test } from 'vitest';
import { nearest } from '../../../src/config/nearest.ts';

test.each([
  ['prot', 'port'],
  ['hots', 'host'],
  ['log-levle', 'log-level'],
  ['', 'host'],
])('%s is nearest to %s', (word, known) => {
  expect(nearest(word, ['host', 'port', 'log-level'])).toBe(known);
});

test('nothing is near where nothing is known', () => {
  expect(nearest('host', [])).toBe('');
});
