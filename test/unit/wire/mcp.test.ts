import { describe, expect, test } from 'vitest';
import { renamed, targetOf } from '../../../src/wire/mcp.ts';

describe('targetOf', () => {
  test.each([
    ['tools/call', { name: 'a' }, { by: 'name', of: 'tools', value: 'a' }],
    ['prompts/get', { name: 'a', uri: 'b:' }, { by: 'name', of: 'prompts', value: 'a' }],
    ['resources/read', { name: 'a', uri: 'b:' }, { by: 'uri', value: 'b:' }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'a' } }, { by: 'name', of: 'prompts', value: 'a' }],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'b:' } }, { by: 'uri', value: 'b:' }],
    ['tools/call', { name: 1 }, { by: 'none' }],
    ['tools/list', { name: 'a' }, { by: 'none' }],
  ])('%s %j', (method, params, target) => {
    expect(targetOf({ method, params })).toEqual(target);
  });

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'a method that is called as something every object has is not known: %s',
    (method) => {
      expect(targetOf({ method, params: { name: 'a', uri: 'b:' } })).toEqual({ by: 'none' });
    },
  );
});

test('renamed replaces the name where the method keeps it', () => {
  expect(renamed({ method: 'tools/call', params: { name: 'a', arguments: { name: 'b' } } }, 'c').params).toEqual({
    name: 'c',
    arguments: { name: 'b' },
  });
  const ref = { type: 'ref/prompt', name: 'a' };
  expect(renamed({ method: 'completion/complete', params: { ref } }, 'c').params).toEqual({
    ref: { ...ref, name: 'c' },
  });
});
