import { expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { lastWords } from '../../../src/upstream/stdio/last-words.ts';

const words = (text: string, secrets: readonly string[] = [], cut = false) =>
  lastWords(
    { text, cut },
    secrets.map((secret) => new Secret(secret)),
  );

test('secrets are blanked out, the longest first, each line of one as well', () => {
  expect(words('key=abcdef and abcd', ['abcd', 'abcdef'])).toBe('key=***** and *****');
  expect(words('  line-one\n\tline-two\r\nrest', ['line-one\nline-two\n'])).toBe('*****\n *****\nrest');
  expect(words('a.b+c(d)', ['b+c'])).toBe('a.*****(d)');
  expect(words('', ['abcd'])).toBe('');
  expect(words('nothing', [''])).toBe('nothing');
});

test('a short value is blanked out where it stands alone, and is left in words', () => {
  expect(words('DEBUG=1, port 11, 1st', ['1'])).toBe('DEBUG=*****, port 11, 1st');
  expect(words('on one ton on', ['on'])).toBe('***** one ton *****');
});

test('what does not print is left out, and hides no secret', () => {
  expect(words('\u001b[31mred\u001b[0m \u001b]0;title\u0007done\u0000\u202e')).toBe('red done');
  expect(words('se\u001b[1mcret se\u200bcret', ['secret'])).toBe('***** *****');
  expect(words('first\n[info] second')).toBe('first\n[info] second');
});

test('the rest of a line that was cut is left out, since it may be the rest of a secret', () => {
  expect(words('ret-value\nnext line', ['secret-value'], true)).toBe('next line');
  expect(words('one long line', [], true)).toBe('');
});

test('only the end is shown', () => {
  expect(words(`${'x'.repeat(2000)}end`)).toHaveLength(1000);
  expect(words(`${'x'.repeat(2000)}end`).endsWith('end')).toBe(true);
});
