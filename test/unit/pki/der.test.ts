import { expect, test } from 'vitest';
import { oidOf, readDer, readOneDer } from '../../../src/pki/der.ts';

test('reads elements one after another, short and long lengths', () => {
  const long = Uint8Array.of(0x04, 0x82, 0x01, 0x00, ...new Uint8Array(256));
  const elements = readDer(Uint8Array.of(0x02, 1, 7, ...long));
  expect(elements.map(({ tag, value }) => [tag, value.length])).toEqual([
    [0x02, 1],
    [0x04, 256],
  ]);
});

test.each([
  ['a length beyond the end', [0x04, 2, 0]],
  ['a cut length', [0x04, 0x82, 0]],
  ['no length', [0x04]],
  ['an indefinite length', [0x30, 0x80, 0, 0]],
  ['a length of five octets', [0x04, 0x85, 0, 0, 0, 0, 0]],
  ['a tag of several octets', [0x1f, 1, 0]],
])('refuses %s', (_, octets) => {
  expect(() => readDer(Uint8Array.from(octets))).toThrow(RangeError);
});

test('wants exactly one element where one is expected', () => {
  expect(() => readOneDer(new Uint8Array())).toThrow(RangeError);
  expect(() => readOneDer(Uint8Array.of(5, 0, 5, 0))).toThrow(RangeError);
  expect(readOneDer(Uint8Array.of(5, 0)).tag).toBe(5);
});

test.each([
  ['2.5.29.19', [0x55, 0x1d, 0x13]],
  ['1.3.6.1.5.5.7.3.2', [0x2b, 6, 1, 5, 5, 7, 3, 2]],
  ['1.2.840.113549', [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]],
  ['2.999.3', [0x88, 0x37, 0x03]],
  ['0.9.2342', [0x09, 0x92, 0x26]],
])('names %s', (dotted, octets) => {
  expect(oidOf(Uint8Array.from(octets))).toBe(dotted);
});
