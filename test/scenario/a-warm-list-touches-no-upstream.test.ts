import { afterAll, beforeAll, expect, test } from 'vitest';
import { countStorageUse } from '../support/counted-storage.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { rawList } from '../support/raw-lists.ts';

const ERAS = ['legacy', 'modern'] as const;
/** What these servers promise to tell changes of. */
const METHODS = ['tools/list', 'resources/list', 'resources/templates/list'];

let upstreams: McpUpstream[];
let gateway: TestGateway;
let url: string;
let token: string;
const storage = countStorageUse();

beforeAll(async () => {
  upstreams = await Promise.all([
    startMcpUpstream({ era: 'legacy' }),
    startMcpUpstream({ era: 'modern', pageSize: 3 }),
  ]);
  gateway = await startGateway({ wrapPlatform: storage.wrap });
  url = `${gateway.url}/mcp`;
  token = await gateway.token('ann');
  for (const [index, name] of ['old', 'new'].entries()) await gateway.register({ name, url: upstreams[index]?.url });
  await Promise.all(upstreams.map((upstream) => upstream.untilListened()));
});
afterAll(async () => {
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
});

test('callers of either era see the servers of both, every field as it was sent', async () => {
  for (const era of ERAS) {
    const { names, result } = await rawList(url, token, era);
    expect(names.slice(0, 2)).toEqual(['old_echo', 'old_add']);
    expect(names).toContain('new_change_tools');
    expect(result?.['tools']).toContainEqual({
      name: 'new_echo',
      description: 'Answers with its text',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
    });
    expect(result).not.toHaveProperty('nextCursor');
  }
});

test('a list that is known is the same bytes for everyone, and nobody is asked', async () => {
  const bob = await gateway.token('bob');
  // the gateway's own streams stand by now; what was read before is read once more
  for (const method of METHODS) await rawList(url, token, 'modern', { method });
  const before = upstreams.map(({ requests }) => requests.length);
  const { reads, commits } = storage;
  for (const method of METHODS)
    for (const era of ERAS) {
      const first = await rawList(url, token, era, { method, id: 1 });
      const second = await rawList(url, bob, era, { method, id: 'x"2' });
      expect(second.text.replace('"x\\"2"', '1')).toBe(first.text);
    }
  expect(upstreams.map(({ requests }) => requests.length)).toEqual(before);
  expect([storage.reads, storage.commits]).toEqual([reads, commits]);
});

test('a modern caller is told how long a list may be kept, a legacy one is not', async () => {
  const modern = await rawList(url, token, 'modern');
  expect(modern.result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
  expect(modern.meta).toHaveProperty(['io.modelcontextprotocol/serverInfo']);
  expect(Object.keys((await rawList(url, token, 'legacy')).result ?? {})).toEqual(['tools']);
});

test('a cursor that was never given out is refused with the id of the request', async () => {
  for (const era of ERAS) {
    const { text, error } = await rawList(url, token, era, { id: 7, params: { cursor: 'made-up' } });
    expect(JSON.parse(text)).toMatchObject({ id: 7, error: { code: -32602 } });
    expect(error?.message).toContain('cursor');
  }
});

test('discover is answered from what is known, the older server included', async () => {
  const before = upstreams.map(({ requests }) => requests.length);
  const { result } = await rawList(url, token, 'modern', { method: 'server/discover' });
  expect(upstreams.map(({ requests }) => requests.length)).toEqual(before);
  expect(result).toMatchObject({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
    },
  });
});
