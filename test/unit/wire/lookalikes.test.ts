import { expect, test } from 'vitest';
import { lookalikeIn } from '../../../src/wire/lookalikes.ts';

const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', arguments: { a: 1, A: 2 } } } as const;

test('only what servers choose by is looked at', () => {
  expect(lookalikeIn({ ...call, params: { ...call.params, vendor: 1, Vendor: 2 } })).toBeUndefined();
  expect(lookalikeIn(call)).toBeUndefined();
  expect(lookalikeIn({ jsonrpc: '2.0', id: 1, method: 'ping' })).toBeUndefined();
});

test.each([
  [{ jsonrpc: '2.0' as const, id: 1, result: {}, Method: 'tools/call' }, 'Method'],
  [{ ...call, Method: 'resources/read' }, 'Method'],
  [{ ...call, paramſ: {} }, 'paramſ'],
  [{ ...call, params: { name: 'x', NAME: 'y' } }, 'NAME'],
  [{ ...call, params: { ref: { type: 'ref/prompt', name: 'x', Type: 'ref/resource' } } }, 'Type'],
  [
    { ...call, params: { notifications: { resourceSubscriptions: [], resourcesubscriptions: [] } } },
    'resourcesubscriptions',
  ],
])('a member that some servers take for another one is found: %#', (request, name) => {
  expect(lookalikeIn(request)).toBe(name);
});
