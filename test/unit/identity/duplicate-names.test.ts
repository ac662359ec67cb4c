import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasDuplicateNames } from '../../../src/identity/duplicate-names.ts';

test.each([
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  '{"x":[{"b":{"c":1,"d":[],"c":"}"}}]}',
  '{"a":"\\"","b":"{","a":1}',
])('%s has', (json) => {
  JSON.parse(json);
  expect(hasDuplicateNames(json)).toBe(true);
});

test('what JSON.stringify writes has none', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => !hasDuplicateNames(JSON.stringify(value))));
});

test('one member more with a name that is there is found, wherever it is', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (fields, at) => {
      const names = Object.keys(fields);
      const again = JSON.stringify(names[at % names.length]);
      const json = `[1, ${JSON.stringify(fields).slice(0, -1)}, ${again} : null}]`;
      return hasDuplicateNames(json);
    }),
  );
});
