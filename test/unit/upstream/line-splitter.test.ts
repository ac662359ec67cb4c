import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8 } from '../../../src/base/bytes.ts';
import { LineSplitter } from '../../../src/upstream/line-splitter.ts';

test('lines come out whole, however the bytes are split', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((line) => line.replaceAll(/[\r\n]/g, ''));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 10 }), fc.array(fc.nat(40), { maxLength: 20 }), (lines, cuts) => {
      const bytes = utf8(lines.map((line) => `${line}\n`).join(''));
      const splitter = new LineSplitter();
      const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted((a, b) => a - b);
      const out = ends.flatMap((end, index) => splitter.push(bytes.subarray(ends[index - 1] ?? 0, end)));
      // a byte order mark at the very start is no character
      expect(out).toEqual(lines.map((line, index) => (index === 0 ? line.replace(/^\uFEFF/, '') : line)));
    }),
  );
});

test('a carriage return before the end of a line is none of it; what is unfinished is no line', () => {
  const splitter = new LineSplitter();
  expect(splitter.push(utf8('a\r\nb\rc\nunfinished'))).toEqual(['a', 'b\rc']);
  expect(splitter.push(utf8(''))).toEqual([]);
  expect(splitter.push(utf8(' line\n'))).toEqual(['unfinished line']);
});

test('a line that is too long is refused before it is complete', () => {
  const splitter = new LineSplitter(10);
  expect(splitter.push(utf8('0123456789'))).toEqual([]);
  expect(() => splitter.push(utf8('x'))).toThrow(expect.objectContaining({ code: 'upstream_too_large' }));
});
