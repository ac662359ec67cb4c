import { expect, test } from 'vitest';
import { mergeCapabilities, mergeInstructions, mergeItems } from '../../../src/catalog/merge.ts';
import { memberOf } from '../../support/catalog.ts';

test('items keep their order and unknown fields, and names take the prefix', () => {
  const merged = mergeItems('tools/list', [
    { member: memberOf({ prefix: 'a_' }), items: [{ name: 'one', vendor: { x: 1 } }, { name: 'two' }] },
    { member: memberOf({ prefix: '' }), items: [{ name: 'one' }] },
  ]);
  expect(merged).toEqual([{ name: 'a_one', vendor: { x: 1 } }, { name: 'a_two' }, { name: 'one' }]);
});

test('of two items with the same name the first stays', () => {
  const parts = ['first', 'second'].map((description) => ({
    member: memberOf({}),
    items: [{ name: 'same', description }],
  }));
  expect(mergeItems('prompts/list', parts)).toEqual([{ name: 'same', description: 'first' }]);
});

test.each([null, 'text', 7, [], {}, { name: null }, { name: { toString: 0 } }])('%j is no item', (nonsense) => {
  const parts = [
    { member: memberOf({ prefix: 'a_' }), items: [nonsense, { name: 'one' }] },
    { member: memberOf({ prefix: 'b_' }), items: [{ name: 'two' }] },
  ];
  expect(mergeItems('tools/list', parts)).toEqual([{ name: 'a_one' }, { name: 'b_two' }]);
});

test('resources are told apart by URI, without any prefix', () => {
  const parts = [{ member: memberOf({ prefix: 'a_' }), items: [{ uri: 'x://1', name: 'one' }] }];
  expect(mergeItems('resources/list', parts)).toEqual([{ uri: 'x://1', name: 'one' }]);
});

test('capabilities are the union, a flag set by any is set', () => {
  const merged = mergeCapabilities([
    { tools: { listChanged: false }, logging: {} },
    { tools: { listChanged: true }, resources: { subscribe: true } },
  ]);
  expect(merged).toEqual({ tools: { listChanged: true }, logging: {}, resources: { subscribe: true } });
});

test('a capability may be called as something every object has', () => {
  const named = JSON.parse('{"__proto__": {"a": true}, "constructor": {}, "toString": false}') as Record<
    string,
    unknown
  >;
  expect(JSON.stringify(mergeCapabilities([named, named]))).toBe(JSON.stringify(named));
});

test('instructions stand under the name of their server', () => {
  expect(
    mergeInstructions([
      { name: 'A', instructions: 'do' },
      { name: 'B', instructions: undefined },
    ]),
  ).toBe('A: do');
  expect(mergeInstructions([])).toBeUndefined();
});
