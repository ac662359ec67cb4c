import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import type { Clock } from '../../../src/base/clock.ts';
import type { ListingNews } from '../../../src/upstream/own-listings.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startMcpUpstream } from '../../support/mcp-upstream.ts';
import type { LoggedRequest, McpUpstream, McpUpstreamOptions } from '../../support/mcp-upstream.ts';
import { dialUpstream, TEST_GRANT } from '../../support/upstream.ts';
import type { DialledUpstream } from '../../support/upstream.ts';

let server: McpUpstream;
let dialled: DialledUpstream;

afterEach(async () => {
  await dialled.close();
  await server.close();
});

const WAIT = { limitMs: 10_000 };
const ERAS = [
  ['2026-07-28', { era: 'modern' }],
  ['2025-11-25', { era: 'legacy' }],
  ['2024-11-05, HTTP+SSE', { transport: 'sse' }],
] as const satisfies readonly (readonly [string, McpUpstreamOptions])[];

/** A connected upstream, and what it says of its listings. */
async function connect(options: McpUpstreamOptions, clock?: Clock) {
  server = await startMcpUpstream(options);
  const news: ListingNews[] = [];
  const waiting: (() => void)[] = [];
  dialled = dialUpstream(
    { url: new URL(server.url) },
    {
      ...(clock && { clock, dialClock: systemClock }),
      onListing: (_upstream, what) => {
        news.push(what);
        for (const check of waiting) check();
      },
    },
  );
  const { upstream } = dialled;
  await upstream.connect(TEST_GRANT);
  const until = (what: ListingNews, count: number) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (news.filter((one) => one === what).length >= count) resolve();
      };
      waiting.push(check);
      check();
    });
  const toolNames = async () =>
    (await upstream.listings.fresh(TEST_GRANT, 'tools/list', WAIT)).tools.map((tool) => tool['name']);
  /** Begins to watch; some servers show the stream of the legacy era with its first event only. */
  const watch = async () => {
    upstream.listings.watch(TEST_GRANT);
    if (options.era === 'legacy') await server.untilListened();
    else await until('stale', 1);
  };
  const change = () => upstream.call(TEST_GRANT, 'tools/call', { name: 'change_tools', arguments: {} });
  return { upstream, watch, until, toolNames, change };
}

test.each(ERAS)('%s: a watched listing is read again only when it changed', async (_era, options) => {
  const { watch, until, toolNames, change } = await connect(options);
  await watch();
  await toolNames();
  const { length } = server.requestsOf('tools/list');
  expect(await toolNames()).not.toContain('changed');
  expect(server.requestsOf('tools/list')).toHaveLength(length);
  await change();
  // that the stream stands, and the change
  await until('stale', 2);
  expect(await toolNames()).toContain('changed');
  await until('new', 2);
});

test.each(ERAS)('%s: closing ends the stream at once, without waiting for it', async (_era, options) => {
  const { upstream, watch } = await connect(options);
  await watch();
  await upstream.close(60_000);
  await server.untilSessions(0);
});

test('a server that answers its own ping only while it is heard is answered', async () => {
  const { watch } = await connect({ era: 'legacy' });
  await watch();
  await server.pingSessions();
});

test.each([
  ['405', 'legacy', ({ httpMethod }: LoggedRequest) => httpMethod === 'GET' && new Response(null, { status: 405 })],
  [
    'error -32601',
    'modern',
    ({ rpcMethod, rpcId: id }: LoggedRequest) =>
      rpcMethod === 'subscriptions/listen' &&
      Response.json({ jsonrpc: '2.0', id, error: { code: -32601, message: 'unknown' } }, { status: 404 }),
  ],
] as const)('a server that refuses the stream with %s is asked once and listed without', async (_how, era, refuse) => {
  const clock = new ManualClock();
  const { upstream, toolNames } = await connect({ era }, clock);
  server.intercept = (request) => refuse(request) || undefined;
  upstream.listings.watch(TEST_GRANT);
  await server.untilListened();
  await upstream.call(TEST_GRANT, 'tools/call', { name: 'echo', arguments: { text: 'the refusal was read' } });
  clock.advance(3_600_000);
  upstream.listings.watch(TEST_GRANT);
  expect(await toolNames()).toContain('echo');
  const listened = server.requests.filter(
    ({ httpMethod, rpcMethod }) => httpMethod === 'GET' || rpcMethod === 'subscriptions/listen',
  );
  expect(listened).toHaveLength(1);
  expect(upstream.health.status).toBe('healthy');
});

test('nothing is watched where nothing is promised, nor before it is asked for', async () => {
  const { upstream } = await connect({ era: 'modern' });
  expect(server.requestsOf('subscriptions/listen')).toEqual([]);
  expect(upstream.listings.isDue).toBe(false);
});

test('a session that was lost is watched anew', async () => {
  const { upstream, watch, until, toolNames, change } = await connect({ era: 'legacy' });
  await watch();
  await server.loseSessions();
  await upstream.probe(TEST_GRANT);
  await server.untilListened(2);
  await change();
  await until('stale', 2);
  expect(await toolNames()).toContain('changed');
});
