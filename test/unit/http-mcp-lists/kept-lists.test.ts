import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { joinedServer } from '../../../src/catalog/virtual-server.ts';
import { KeptLists, listTail, spliced } from '../../../src/http/mcp/lists/kept-lists.ts';
import { memberOf, relist } from '../../support/catalog.ts';

const id = fc.oneof(fc.string(), fc.integer());
const items = fc.array(fc.dictionary(fc.string(), fc.jsonValue()));

test('a spliced answer is what writing the whole of it would give', () => {
  fc.assert(
    fc.property(id, fc.dictionary(fc.string(), fc.jsonValue()), items, (callerId, members, tools) => {
      const { tools: _, ...own } = members;
      const parts = spliced(callerId, own, listTail('tools/list', tools));
      expect(parts.map(fromUtf8).join('')).toBe(
        JSON.stringify({ jsonrpc: '2.0', id: callerId, result: { ...own, tools } }),
      );
    }),
  );
});

test('the items of a catalogue are written once, and again for another catalogue', () => {
  const lists = new KeptLists();
  const member = memberOf({ tools: [{ name: 'a' }] });
  const server = joinedServer([{ id: 'up', ...member }]);
  const tail = lists.tail(server.catalogue, 'tools/list');
  expect(lists.tail(server.catalogue, 'tools/list')).toBe(tail);
  expect(lists.tail(server.catalogue, 'prompts/list')).not.toBe(tail);
  relist(member, {});
  expect(fromUtf8(lists.tail(server.catalogue, 'tools/list'))).toBe('"tools":[]}}');
});
