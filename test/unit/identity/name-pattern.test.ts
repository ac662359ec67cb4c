import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesName } from '../../../src/identity/name-pattern.ts';

test.each([
  ['spiffe://example.org/*', 'spiffe://example.org/agent/1', true],
  ['spiffe://example.org/*', 'spiffe://example.org/', false],
  ['spiffe://example.org/*', 'spiffe://example.org.evil/agent', false],
  ['*.partner.example', 'app.partner.example', true],
  ['*.partner.example', '.partner.example', false],
  ['*.partner.example', 'partner.example', false],
  ['*.partner.example', 'app.partner.example.evil', false],
  ['agent', 'agent', true],
  ['agent', 'agents', false],
  ['a*b*c', 'a1b2c', true],
  ['a*b*c', 'abbc', false],
  ['a*b*c', 'a1bc', false],
  ['a*a', 'aa', false],
  ['*', 'x', true],
  ['*', '', false],
  ['a.c', 'abc', false],
])('%s takes %s: %s', (pattern, name, fits) => expect(matchesName(pattern, name)).toBe(fits));

test('means what a regular expression with a character at least for each star means', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
  fc.assert(
    fc.property(pattern, text, (one, name) => {
      expect(matchesName(one, name)).toBe(new RegExp(`^${one.replaceAll('*', '.+')}$`).test(name));
    }),
    { numRuns: 2000 },
  );
});

test('takes time that grows with the name only', () => {
  expect(matchesName(`${'*a'.repeat(2000)}b`, 'a'.repeat(100_000))).toBe(false);
}, 500);
