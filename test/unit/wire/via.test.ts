import { expect, test } from 'vitest';
import { hasLooped, viaName, viaThrough } from '../../../src/wire/via.ts';

test('each gateway adds its name', () => {
  expect(viaThrough(undefined, 'postern-a')).toBe('1.1 postern-a');
  expect(viaThrough('1.0 nginx', 'postern-a')).toBe('1.0 nginx, 1.1 postern-a');
});

test('a name is a token, whatever it is made of', () => {
  expect(viaName('a-b_c/d+e=fghijklmnop')).toBe('postern-abcdefghijkl');
});

test('a request that passed here before has gone in a circle', () => {
  const via = viaThrough(viaThrough('1.1 proxy', 'postern-a'), 'postern-b');
  expect(hasLooped(via, 'postern-a')).toBe(true);
  expect(hasLooped(via, 'postern-b')).toBe(true);
  expect(hasLooped(via, 'postern-c')).toBe(false);
  expect(hasLooped(null, 'postern-a')).toBe(false);
  expect(hasLooped('', 'postern-a')).toBe(false);
});

test('so has one that passed too many other gateways', () => {
  const through = (count: number) => Array.from({ length: count }, (_, index) => `1.1 postern-${index}`).join(',');
  expect(hasLooped(through(7), 'postern-x')).toBe(false);
  expect(hasLooped(through(8), 'postern-x')).toBe(true);
});
