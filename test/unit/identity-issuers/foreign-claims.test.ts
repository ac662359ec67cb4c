import { expect, test } from 'vitest';
import { claimsIn, foreignSubject } from '../../../src/identity/issuers/foreign-claims.ts';

test('texts and lists of texts are kept, the rest is not', () => {
  const claims = claimsIn({ sub: 'ann', groups: ['a', 'b'], exp: 7, admin: true, cnf: {}, mixed: ['a', 1], none: [] });
  expect(claims).toEqual({ sub: 'ann', groups: ['a', 'b'], none: [] });
});

test.each([
  ['a long text', { text: 'x'.repeat(1025) }],
  ['a long list', { groups: Array.from({ length: 513 }, () => 'a') }],
  ['a long text in a list', { groups: ['x'.repeat(1025)] }],
  ['a long name', { ['x'.repeat(257)]: 'a' }],
  ['many claims', Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`c${n}`, 'a']))],
])('%s is refused, not left out', (_, payload) => {
  expect(() => claimsIn(payload)).toThrow('says more of its caller');
});

test('names of two issuers never meet, and one that cannot be shown is none', () => {
  expect(foreignSubject('https://a.example', 'b#c')).toBe('https://a.example#b#c');
  expect(foreignSubject('https://a.example/', 'ann')).not.toBe(foreignSubject('https://a.example', 'ann'));
  for (const sub of ['a\nb', 'x'.repeat(1025)]) expect(() => foreignSubject('https://a.example', sub)).toThrow('shown');
});
