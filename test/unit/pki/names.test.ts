import { expect, test } from 'vitest';
import { commonNameIn } from '../../../src/pki/names.ts';

test.each([
  ['CN=ann', 'ann'],
  ['CN=ann,OU=desk,O=Example', 'ann'],
  ['OU=desk+CN=ann,O=Example', 'ann'],
  ['O=Example,CN=upper', 'upper'],
  [String.raw`CN=Ann\, of Sales\+1`, 'Ann, of Sales+1'],
  [String.raw`CN=\ spaced\ `, ' spaced '],
  [String.raw`CN=two\0alines\e2\80\a8`, 'two\nlines\u2028'],
  [String.raw`CN=back\\slash`, String.raw`back\slash`],
  ['CN=ünïcödé', 'ünïcödé'],
])('the common name of %s', (text, name) => {
  expect(commonNameIn(text)).toBe(name);
});

test.each(['', 'O=Example', String.raw`O=x\,CN=admin`, String.raw`O=x\+CN=admin`, 'OU=CN=admin', 'XCN=admin'])(
  'there is none in %s',
  (text) => {
    expect(commonNameIn(text)).toBeUndefined();
  },
);
