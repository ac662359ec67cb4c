import { expect, test } from 'vitest';
import { mergeCapabilities, mergeInstructions } from '../../../src/catalog/merge.ts';

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
