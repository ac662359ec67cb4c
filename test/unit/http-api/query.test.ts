import { expect, test } from 'vitest';
import { STATE_QUERY } from '../../../src/http/api/queries.ts';
import { readQuery } from '../../../src/http/api/query.ts';

const activate = (text: string) => readQuery(`http://localhost/?activate=${text}`, STATE_QUERY).activate;

test('a truth value is true, false, 1 or 0 in any case', () => {
  expect(['true', 'TRUE', '1', 'false', 'False', '0'].map(activate)).toEqual([true, true, true, false, false, false]);
});

test.each(['', 'yes', 'constructor', '__proto__'])('and nothing else: %j', (text) => {
  expect(() => activate(text)).toThrow('the query parameter activate must be true or false');
});
