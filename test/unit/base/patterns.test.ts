import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPattern, matcherOf } from '../../../src/base/patterns.ts';
import { matchesTemplate } from '../../../src/catalog/uri-template.ts';

const part = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-') });

test('a template matches what it expands to', () => {
  expect(matchesTemplate('test://item/{id}', 'test://item/7')).toBe(true);
  expect(matchesTemplate('test://item/{id}/data', 'test://item/7/other')).toBe(false);
  expect(matchesTemplate('test://fixed', 'test://fixed')).toBe(true);
  fc.assert(
    fc.property(part, part, part, part, part, (a, x, b, y, c) => {
      expect(matchesTemplate(`${a}{x}${b}{y}${c}`, a + x + b + y + c)).toBe(true);
    }),
  );
});

test('a star stands for any text, everything else for itself', () => {
  const isFound = matcherOf(['find_*', '*_now', 'echo', 'a*b*c']);
  expect(['find_', 'find_it', 'do_now', 'echo', 'abc', 'a-b-c'].map(isFound)).toEqual(Array(6).fill(true));
  expect(['xfind_it', 'echos', 'Echo', 'ac', ''].map(isFound)).toEqual(Array(5).fill(false));
  expect(matcherOf(['*'])('')).toBe(true);
  expect(matcherOf(['a.c'])('abc')).toBe(false);
  fc.assert(
    fc.property(part, part, part, (a, x, b) => {
      expect(matcherOf([`${a}*${b}`])(a + x + b)).toBe(true);
    }),
  );
});

test('a template means itself and the URIs it may expand to', () => {
  const isDenied = matcherOf(['test://item/{id}']);
  expect(['test://item/{id}', 'test://item/7'].map(isDenied)).toEqual([true, true]);
  expect(isDenied('test://other')).toBe(false);
  expect([isPattern('a*'), isPattern('a{b}'), isPattern('a_b-c')]).toEqual([true, true, false]);
});

test('no pattern makes a text expensive', () => {
  const isFound = matcherOf(['*a'.repeat(1000) + 'b']);
  const started = performance.now();
  expect(isFound('a'.repeat(100_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(1000);
});
