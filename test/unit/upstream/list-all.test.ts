import { expect, test } from 'vitest';
import { list, listAll } from '../../../src/upstream/list-all.ts';

const result = (value: Record<string, unknown>) => ({ jsonrpc: '2.0' as const, id: 1, result: value });
const failure = (code: number) => ({ jsonrpc: '2.0' as const, id: 1, error: { code, message: 'no' } });

test('a declared listing the upstream does not know is empty', async () => {
  const listing = await listAll({ tools: {}, resources: {} }, async (method) =>
    method === 'tools/list' ? result({ tools: [{ name: 'a', custom: 1 }] }) : failure(-32601),
  );
  expect(Object.values(listing).map(({ items }) => items)).toEqual([[{ name: 'a', custom: 1 }], [], [], []]);
});

test('a listing may be kept as long, and shown to as many, as its strictest page allows', async () => {
  const pages = (...hints: Record<string, unknown>[]) => {
    let page = 0;
    return list('tools/list', { tools: {} }, async () =>
      result({ tools: [], ...hints[page], ...(++page < hints.length && { nextCursor: String(page) }) }),
    );
  };
  const open = { ttlMs: 9000, cacheScope: 'public' };
  expect(await pages(open, open)).toMatchObject({ ttlMs: 9000, cacheScope: 'public' });
  expect(await pages(open, { ttlMs: 500, cacheScope: 'private' })).toMatchObject({ ttlMs: 500, cacheScope: 'private' });
  expect(await pages(open, {}, open)).toMatchObject({ ttlMs: undefined, cacheScope: 'private' });
  for (const ttlMs of [-1, '60000', null]) expect(await pages({ ttlMs })).toMatchObject({ ttlMs: undefined });
});

test.for([
  ['an error', () => failure(-32603)],
  ['no list', () => result({})],
  ['an item without a name', () => result({ tools: [{ title: 'x' }] })],
  ['the same cursor twice', () => result({ tools: [], nextCursor: 'again' })],
] as const)('%s is no listing', async ([, answer]) => {
  await expect(listAll({ tools: {} }, async () => answer())).rejects.toMatchObject({ code: 'upstream_protocol' });
});

test('a listing that never ends is given up', async () => {
  let cursor = 0;
  const endless = listAll({ tools: {} }, async () => result({ tools: [], nextCursor: String(cursor++) }));
  await expect(endless).rejects.toMatchObject({ code: 'upstream_protocol' });
  expect(cursor).toBe(1000);
  const tools = Array.from({ length: 500 }, (_, index) => ({ name: `t${index}` }));
  const large = listAll({ tools: {} }, async () => result({ tools, nextCursor: String(cursor++) }));
  await expect(large).rejects.toMatchObject({ code: 'upstream_too_large' });
  const atOnce = listAll({ tools: {} }, async () =>
    result({ tools: Array.from({ length: 300_000 }, () => ({ name: 't' })) }),
  );
  await expect(atOnce).rejects.toMatchObject({ code: 'upstream_too_large' });
});

test('an upstream that lists ever more text is stopped, in whichever listings it does so', async () => {
  const description = 'x'.repeat(4 * 1024 * 1024);
  let pages = 0;
  const endless = listAll({ tools: {}, prompts: {} }, async (method) => {
    const items = [{ name: `n${++pages}`, description }];
    const nextCursor = String(pages);
    return result(
      method === 'prompts/list' ? { prompts: items, nextCursor } : { tools: items, ...(pages < 3 && { nextCursor }) },
    );
  });
  await expect(endless).rejects.toMatchObject({ code: 'upstream_too_large' });
  expect(pages).toBe(8);
});

test('cursors count as well', async () => {
  let pages = 0;
  const nextCursor = () => String(++pages).padEnd(4 * 1024 * 1024);
  const endless = listAll({ tools: {} }, async () => result({ tools: [], nextCursor: nextCursor() }));
  await expect(endless).rejects.toMatchObject({ code: 'upstream_too_large' });
  expect(pages).toBe(8);
});
