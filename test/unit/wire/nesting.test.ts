import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMessage } from '../../../src/wire/json-rpc.ts';
import { isNestedTooDeep, MAX_DEPTH } from '../../../src/wire/nesting.ts';

const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const objects = (depth: number) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);

test('a thousand levels are let through, one more is not', () => {
  for (const nested of [lists, objects]) {
    expect(isNestedTooDeep(nested(MAX_DEPTH))).toBe(false);
    expect(isNestedTooDeep(nested(MAX_DEPTH + 1))).toBe(true);
  }
});

test('what stands beside each other is not nested', () => {
  expect(isNestedTooDeep(`[${Array.from({ length: 5000 }, () => '{"a":[]}').join()}]`)).toBe(false);
});

test('brackets in strings do not count, whatever is escaped before them', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('[', '{', '"', '\\', 'x')), (parts) => {
      const text = JSON.stringify({ a: parts.join('') + '['.repeat(2 * MAX_DEPTH), b: lists(3) });
      expect(isNestedTooDeep(text)).toBe(false);
      expect(isNestedTooDeep(`[${text},${lists(MAX_DEPTH)}]`)).toBe(true);
    }),
  );
});

test('a text that is no JSON is left to the parser', () => {
  for (const text of ['"'.padEnd(5000, 'x'), ']'.repeat(5000), '"'.padEnd(5000, '\\')])
    expect(isNestedTooDeep(text)).toBe(false);
});

test('a message of millions of levels is refused before it is parsed', () => {
  const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":${lists(4_000_000)}}}`;
  expect(() => parseMessage(text)).toThrow('nested deeper than 1000 levels');
});
