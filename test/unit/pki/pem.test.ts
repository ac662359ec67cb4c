import { expect, test } from 'vitest';
import { MAX_PEM_BLOCKS, MAX_PEM_CHARACTERS, derOfPem, splitPem, toPem } from '../../../src/pki/pem.ts';

const one = toPem(
  'CERTIFICATE',
  Uint8Array.from({ length: 100 }, (_, index) => index),
);
const two = toPem('PRIVATE KEY', new Uint8Array([1, 2, 3]));

test('splits a bundle into labelled blocks, in order', () => {
  expect(splitPem(one + two)).toEqual([
    { label: 'CERTIFICATE', pem: one },
    { label: 'PRIVATE KEY', pem: two },
  ]);
});

test('wraps at 64 characters and gives the bytes back', () => {
  expect(one.split('\n').every((line) => line.length <= 64)).toBe(true);
  expect(derOfPem(one)).toEqual(Uint8Array.from({ length: 100 }, (_, index) => index));
});

test.each([
  ['a byte order mark', `\ufeff${one}`],
  ['CRLF line ends', one.replaceAll('\n', '\r\n')],
  ['indentation and trailing spaces', one.replaceAll('\n', '  \n\t  ')],
  ['line breaks written as \\n', one.replaceAll('\n', '\\n')],
  ['line breaks written as \\r\\n', one.replaceAll('\n', '\\r\\n')],
  ['line breaks turned into spaces', one.replaceAll('\n', ' ')],
  ['explanations on lines of their own', `# Root CA\nsubject=CN = x\n${one}\nthe end\n`],
  ['no newline at the end', one.trimEnd()],
])('repairs %s', (_, text) => {
  expect(splitPem(text)).toEqual([{ label: 'CERTIFICATE', pem: one }]);
});

test('keeps the headers of an old encrypted key', () => {
  const key = `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\nAAAA\n-----END RSA PRIVATE KEY-----\n`;
  expect(splitPem(key.replaceAll('\n', '\r\n  '))).toEqual([{ label: 'RSA PRIVATE KEY', pem: key }]);
});

test('finds nothing in a text without PEM', () => {
  expect(splitPem('')).toEqual([]);
  expect(splitPem('hello')).toEqual([]);
});

test.each([
  ['no END line', one.slice(0, one.indexOf('-----END')), /no END line; is the text cut off/],
  ['no END before the next BEGIN', one.replace(/-----END.*\n/, '') + two, /no END line before the next BEGIN/],
  ['no BEGIN line', one.slice(one.indexOf('\n')), /END CERTIFICATE line has no BEGIN/],
  [
    'another label at the end',
    one.replace('END CERTIFICATE', 'END PRIVATE KEY'),
    /CERTIFICATE block ends as PRIVATE KEY/,
  ],
  ['a body that is not base64', one.replace('AAEC', '!!!!'), /is not base64/],
  ['a body cut by a character', one.replace('AAEC', 'AAE'), /is not base64/],
  ['an empty body', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', /is empty/],
  ['text after the END line', `${one.trimEnd()}garbage`, /text on the same line/],
  ['quotes around it', `"${one.trimEnd()}"`, /text on the same line/],
  ['a boundary with four dashes', one.replace('-----BEGIN', '----BEGIN'), /looks like a BEGIN or END line/],
  ['a boundary in lower case', `-----begin certificate-----\n${one}`, /looks like a BEGIN or END line/],
])('refuses %s', (_, text, message) => {
  expect(() => splitPem(text, 'ca_unreadable')).toThrow(
    expect.objectContaining({ code: 'ca_unreadable', message: expect.stringMatching(message) }),
  );
});

test('never quotes what it met', () => {
  const marker = 'U0VDUkVUX01BUktFUg';
  for (const text of [`${marker}\n${two}${marker}`, two.replace('AQID', `${marker}!`), `${marker}-----BEGIN X`]) {
    try {
      splitPem(text);
    } catch (error) {
      expect(JSON.stringify([String(error), error])).not.toContain(marker);
    }
  }
});

test('refuses too much', () => {
  expect(() => splitPem('x'.repeat(MAX_PEM_CHARACTERS + 1))).toThrow(/over the limit of 1048576/);
  expect(() => splitPem(two.repeat(MAX_PEM_BLOCKS + 1))).toThrow(/501 blocks is over the limit of 500/);
});

test.each([
  ['dashes', '-'],
  ['half boundaries', '-----BEGIN A'],
  ['blanks', ' '],
  ['words', 'END A '],
  ['line breaks', '\\n\n'],
])('reads a megabyte of %s in linear time', (_, part) => {
  const startedAt = performance.now();
  try {
    splitPem(part.repeat(Math.floor(MAX_PEM_CHARACTERS / part.length)));
  } catch (error) {
    expect(error).toHaveProperty('code', 'certificate_unreadable');
  }
  expect(performance.now() - startedAt).toBeLessThan(2000);
});
