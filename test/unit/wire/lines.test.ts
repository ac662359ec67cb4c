import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineParser } from '../../../src/wire/lines.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a parser yields for a text cut into chunks at `cuts`. */
function linesOf(bytes: Uint8Array, cuts: readonly number[], limitBytes = 1_000_000): (string | undefined)[] {
  const parser = new LineParser(limitBytes);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  let start = 0;
  const lines = [...ends, bytes.length].flatMap((end) => {
    const chunk = bytes.subarray(start, end);
    start = end;
    return parser.push(chunk);
  });
  return [...lines, ...parser.end()];
}

test('lines end with LF or CRLF, empty ones are passed over, the last may lack its end', () => {
  expect(linesOf(bytesOf('{"a":1}\r\n\n\r\n{"b":2}\n{"c":3}'), [])).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
  expect(linesOf(bytesOf('one\n'), [])).toEqual(['one']);
  expect(linesOf(bytesOf(''), [])).toEqual([]);
});

test('a text split at any byte is the same text, inside a character too', () => {
  const text = '{"say":"naïve 日本語 😀"}\r\n{"next":"é"}\n';
  const bytes = bytesOf(text);
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(linesOf(bytes, [cut])).toEqual(['{"say":"naïve 日本語 😀"}', '{"next":"é"}']);
  expect(linesOf(bytes, [...bytes.keys()])).toEqual(['{"say":"naïve 日本語 😀"}', '{"next":"é"}']);
});

test('whatever the lines and the split, what went in comes out', () => {
  const line = fc
    .string({ unit: 'binary', minLength: 1 })
    .map((text) => JSON.stringify(text))
    .filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.array(fc.nat(5_000)), (lines, end, cuts) => {
      expect(linesOf(bytesOf(lines.map((text) => text + end).join('')), cuts)).toEqual(lines);
    }),
  );
});

test('a line beyond the limit is dropped whole and told of, whatever the split; the next one is read', () => {
  const bytes = bytesOf(`${'x'.repeat(11)}\nok\n${'é'.repeat(5)}\n${'é'.repeat(6)}\n`);
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(linesOf(bytes, [cut], 10)).toEqual([undefined, 'ok', 'ééééé', undefined]);
});

test('an endless line takes no memory, and is told of once', () => {
  const parser = new LineParser(1_000);
  const chunk = new Uint8Array(100_000).fill(0x61);
  const before = process.memoryUsage().heapUsed;
  expect(parser.push(chunk)).toEqual([undefined]);
  for (let count = 0; count < 2_000; count++) expect(parser.push(chunk)).toEqual([]);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  expect(parser.push(bytesOf('\nok\n'))).toEqual(['ok']);
});
