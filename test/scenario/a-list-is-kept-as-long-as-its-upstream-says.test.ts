import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { LoggedRequest, McpUpstream, McpUpstreamOptions } from '../support/mcp-upstream.ts';
import { rawList } from '../support/raw-lists.ts';

let clock: ManualClock;
let gateway: TestGateway;
let upstreams: McpUpstream[];
let token: string;

beforeEach(async () => {
  clock = new ManualClock(Date.now());
  gateway = await startGateway({ wrapPlatform: (platform) => ({ ...platform, clock }) });
  upstreams = [];
  token = await gateway.token('ann');
});
afterEach(async () => {
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
});

async function register(name: string, options: McpUpstreamOptions, hints?: object, fields?: object) {
  const upstream = await startMcpUpstream({ ...options, name });
  upstreams.push(upstream);
  upstream.intercept = (request) => refusedStream(request) ?? (hints && listed(request, hints));
  await gateway.register({ name, url: upstream.url, ...fields });
  // the order of registration is that of the clock
  clock.advance(1);
  const registered = upstream.requestsOf('tools/list').length;
  return { upstream, asked: () => upstream.requestsOf('tools/list').length - registered };
}

/** No server here tells of changes, so that only time decides. */
function refusedStream({ httpMethod, rpcMethod, rpcId }: LoggedRequest): Response | undefined {
  if (httpMethod === 'GET') return new Response(null, { status: 405 });
  if (rpcMethod !== 'subscriptions/listen') return undefined;
  const error = { code: -32601, message: 'method not found' };
  return Response.json({ jsonrpc: '2.0', id: rpcId, error }, { status: 404 });
}

const TOOL = { name: 'tool', inputSchema: { type: 'object' }, 'x-unknown': [1, { two: 3 }] };
const listed = ({ rpcMethod, rpcId }: LoggedRequest, part: object): Response | undefined =>
  rpcMethod === 'tools/list'
    ? Response.json({ jsonrpc: '2.0', id: rpcId, result: { resultType: 'complete', tools: [TOOL], ...part } })
    : undefined;
const list = (headers = {}) => rawList(`${gateway.url}/mcp`, token, 'modern', { headers });

test('a modern list is used for its time and then asked for again, alone', async () => {
  const { upstream, asked } = await register('up', { era: 'modern' }, { ttlMs: 30_001, cacheScope: 'public' });
  const others = upstream.requestsOf('prompts/list').length;
  expect((await list()).result).toMatchObject({
    ttlMs: 30_000,
    cacheScope: 'public',
    tools: [{ 'x-unknown': [1, {}] }],
  });
  clock.advance(29_999);
  expect((await list()).result).toMatchObject({ ttlMs: 1 });
  expect(asked()).toBe(0);
  clock.advance(1);
  expect((await list()).result).toMatchObject({ ttlMs: 30_001 });
  expect([asked(), upstream.requestsOf('prompts/list').length]).toEqual([1, others]);
});

test('several servers: the shortest time, and public only when all say so', async () => {
  await register('one', { era: 'modern' }, { ttlMs: 30_000, cacheScope: 'public' });
  await register('two', { era: 'modern' }, { ttlMs: 20_000, cacheScope: 'public' });
  expect((await list()).result).toMatchObject({ ttlMs: 19_999, cacheScope: 'public' });
  await register('three', { era: 'modern' }, { ttlMs: 50_000, cacheScope: 'private' });
  expect((await list()).result).toMatchObject({ ttlMs: 19_998, cacheScope: 'private' });
});

test('a modern list without a time is asked for each time', async () => {
  const { asked } = await register('up', { era: 'modern' }, {});
  for (const count of [1, 2]) {
    expect((await list()).result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
    expect(asked()).toBe(count);
  }
});

test('callers who ask at the same moment cost one request', async () => {
  const { asked } = await register('up', { era: 'modern', delayMs: 50 }, {});
  await Promise.all(Array.from({ length: 8 }, () => list()));
  expect(asked()).toBe(1);
});

test('a legacy list is used for a minute', async () => {
  const { asked } = await register('up', { era: 'legacy' });
  clock.advance(59_998);
  expect((await list()).names).toContain('up_echo');
  expect(asked()).toBe(0);
  clock.advance(1);
  expect((await list()).names).toContain('up_echo');
  expect(asked()).toBe(1);
});

test('an upstream that is told who calls is asked for every caller, and its answer is for that caller alone', async () => {
  const { upstream, asked } = await register('up', { era: 'modern' }, undefined, { passthrough_headers: ['X-Team'] });
  const plain = await register('plain', { era: 'modern' }, { ttlMs: 60_000, cacheScope: 'public' });
  upstream.intercept = (request) => {
    const name = `of-${String(request.headers['x-team'])}`;
    return listed(request, { tools: [{ ...TOOL, name }], ttlMs: 9000, cacheScope: 'public' });
  };
  for (const [count, team] of ['red', 'blue', 'blue'].entries()) {
    const { names, result } = await list({ 'x-team': team });
    expect(names[0]).toBe(`up_of-${team}`);
    expect(names).toContain('plain_tool');
    expect(result).toMatchObject({ ttlMs: 9000, cacheScope: 'private' });
    expect([asked(), plain.asked()]).toEqual([count + 1, 0]);
  }
  upstream.intercept = ({ rpcMethod }) => (rpcMethod === 'tools/list' ? new Response('', { status: 500 }) : undefined);
  const { names, meta } = await list({ 'x-team': 'red' });
  expect(names.some((name) => name.startsWith('up_'))).toBe(false);
  expect(meta).toMatchObject({ 'postern/missing': ['up'] });
});

test('a slow upstream delays nobody whose list is known, and others no longer than it takes or ten seconds', async () => {
  const slow = await register('slow', { era: 'modern' }, { ttlMs: 60_000 });
  await register('quick', { era: 'modern' }, { ttlMs: 60_000 });
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const answer = slow.upstream.intercept;
  slow.upstream.intercept = async (request) => {
    if (request.rpcMethod === 'tools/list') {
      reached.resolve();
      await released.promise;
    }
    return answer?.(request);
  };
  expect((await list()).names).toEqual(['slow_tool', 'quick_tool']);
  expect(slow.asked()).toBe(0);
  clock.advance(60_000);
  const asked = list();
  await reached.promise;
  clock.advance(3000);
  expect((await asked).names).toEqual(['slow_tool', 'quick_tool']);
  // nobody waits for what is overdue
  expect((await list()).names).toEqual(['slow_tool', 'quick_tool']);
  released.resolve();
  await expect.poll(async () => (await list()).result?.['ttlMs']).toBeGreaterThan(0);
  expect(slow.asked()).toBe(1);
});
