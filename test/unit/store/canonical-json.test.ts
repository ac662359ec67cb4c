import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../src/store/canonical-json.ts';

test('the order of members does not matter, the order of elements does', () => {
  expect(canonicalJson({ b: [2, 1], a: { d: null, c: 'x' } })).toBe('{"a":{"c":"x","d":null},"b":[2,1]}');
  expect(canonicalJson({ a: { c: 'x', d: null }, b: [2, 1] })).toBe(
    canonicalJson({ b: [2, 1], a: { d: null, c: 'x' } }),
  );
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

test('it says what JSON says, and saying it again changes nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
});

test('a member called __proto__ is a member like any other', () => {
  const text = '{"__proto__":{"admin":true},"a":1}';
  expect(canonicalJson(JSON.parse(text))).toBe(text);
});
