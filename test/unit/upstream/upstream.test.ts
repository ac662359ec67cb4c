import { afterEach, describe, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { UpstreamRequest } from '../../../src/upstream/transport.ts';
import type { TestConfig } from '../../support/upstream.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startMcpUpstream, type McpUpstreamOptions } from '../../support/mcp-upstream.ts';
import { dialUpstream, TEST_GRANT } from '../../support/upstream.ts';
import { systemClock } from '../../../adapters/node-compat/clock.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).toReversed()) await thing.close();
});

async function start(
  options: McpUpstreamOptions = {},
  config: Partial<TestConfig> = {},
  times: Parameters<typeof dialUpstream>[1] = {},
) {
  const server = await startMcpUpstream(options);
  const dialled = dialUpstream({ url: new URL(server.url), ...config }, times);
  open.push(server, dialled);
  return { server, dialled, upstream: dialled.upstream };
}

const modern = (method: string, params: object = {}, headers: object = {}): UpstreamRequest => {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const name = (params as { name?: string }).name;
  return {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name !== undefined && { 'mcp-name': name }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: envelope } }),
    mcpMethod: method,
  };
};
const callOf = (name: string, args: object = {}, headers: object = {}) =>
  modern('tools/call', { name, arguments: args }, headers);

describe('send', () => {
  test('relays a request as it is and reports it once its body has ended', async () => {
    const { dialled, upstream } = await start();
    await upstream.connect(TEST_GRANT);
    const before = dialled.eventsOf('call.finished').length;
    const response = await upstream.send(TEST_GRANT, callOf('echo', { text: 'hi' }));
    expect(JSON.parse(await response.text(1e6))).toMatchObject({ id: 1, result: { content: [{ text: 'hi' }] } });
    expect(dialled.eventsOf('call.finished').slice(before)).toEqual([
      { gateway: 'up', method: 'tools/call', outcome: 'ok', durationMs: expect.any(Number) },
    ]);
  });

  test('what a caller sends of credentials and connections stays here', async () => {
    const credentials = { headers: { 'x-api-key': new Secret('ours') }, query: {} };
    const { server, upstream } = await start({}, { credentials, passthroughHeaders: ['authorization', 'x-tenant'] });
    const theirs = {
      authorization: 'Bearer theirs',
      cookie: 'a=b',
      host: 'elsewhere',
      'x-tenant': 't',
      'x-api-key': 'theirs',
    };
    await (await upstream.send(TEST_GRANT, callOf('echo', {}, theirs))).text(1e6);
    const { headers } = server.requestsOf('tools/call')[0] ?? {};
    expect(headers).toMatchObject({
      'x-tenant': 't',
      'x-api-key': 'ours',
      host: server.host,
      'accept-encoding': 'identity',
    });
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
  });

  test('statuses are answers, whatever they say', async () => {
    const { server, upstream } = await start();
    await upstream.connect(TEST_GRANT);
    for (const status of [302, 401, 404, 503]) {
      server.intercept = () => new Response('as it is', { status });
      const response = await upstream.send(TEST_GRANT, callOf('echo'));
      expect(response.status).toBe(status);
      expect(await response.text(100)).toBe('as it is');
    }
  });

  test('a caller who goes away is no failure of the upstream', async () => {
    const { server, dialled, upstream } = await start();
    await upstream.connect(TEST_GRANT);
    const caller = new AbortController();
    const sent = upstream.send(TEST_GRANT, { ...callOf('hold'), signal: caller.signal });
    await server.untilHeld(1);
    caller.abort();
    await expect(sent).rejects.toMatchObject({ code: 'call_cancelled' });
    expect(upstream.health).toMatchObject({ status: 'healthy', consecutiveFailures: 0 });
    expect(dialled.eventsOf('call.finished').at(-1)).toMatchObject({ outcome: 'call_cancelled' });
  });

  test('a lost connection: reading is repeated, acting is not', async () => {
    const { server, upstream } = await start();
    await upstream.connect(TEST_GRANT);
    server.requests.length = 0;
    let drops = 1;
    server.intercept = ({ rpcMethod }) => {
      if (drops-- > 0) server.dropConnections();
      return rpcMethod === 'tools/call' ? new Response() : undefined;
    };
    const listed = await upstream.send(TEST_GRANT, modern('tools/list'));
    expect(listed.status).toBe(200);
    await listed.text(1e6);
    expect(server.requestsOf('tools/list')).toHaveLength(2);
    drops = 1;
    await expect(upstream.send(TEST_GRANT, callOf('echo'))).rejects.toMatchObject({ code: 'connection_lost' });
    expect(server.requestsOf('tools/call')).toHaveLength(1);
  });
});

describe('the shared session', () => {
  test('is opened once, however many ask at once', async () => {
    const { server, upstream } = await start({ era: 'legacy' }, { transport: 'streamable-http' });
    const sessions = await Promise.all([1, 2, 3].map(() => upstream.sharedSession(TEST_GRANT)));
    expect(new Set(sessions).size).toBe(1);
    expect(server.requestsOf('initialize')).toHaveLength(1);
    const [session] = sessions;
    expect(session?.headers).toMatchObject({
      'mcp-session-id': expect.any(String),
      'mcp-protocol-version': '2025-11-25',
    });
    expect(session?.nextId()).not.toBe(session?.nextId());
  });

  test('is opened again, once, when the upstream lost it', async () => {
    const { server, dialled, upstream } = await start({ era: 'legacy' });
    await upstream.connect(TEST_GRANT);
    await server.loseSessions();
    const calls = ['a', 'b'].map((text) =>
      upstream.call(TEST_GRANT, 'tools/call', { name: 'echo', arguments: { text } }),
    );
    expect(await Promise.all(calls)).toMatchObject([
      { result: { content: [{ text: 'a' }] } },
      { result: { content: [{ text: 'b' }] } },
    ]);
    expect(server.requestsOf('initialize')).toHaveLength(2);
    expect(dialled.eventsOf('upstream.session_renewed')).toEqual([{ gateway: 'up' }]);
  });

  test('lost again at once is told as such', async () => {
    const { server, upstream } = await start({ era: 'legacy' });
    await upstream.connect(TEST_GRANT);
    server.intercept = ({ rpcMethod }) => (rpcMethod === 'tools/list' ? Response.json({}, { status: 404 }) : undefined);
    await expect(upstream.call(TEST_GRANT, 'tools/list', {})).rejects.toMatchObject({ code: 'upstream_session_lost' });
    expect(server.requestsOf('tools/list')).toHaveLength(3);
  });

  test('ends with the upstream', async () => {
    const { server, upstream } = await start({ era: 'legacy' });
    await upstream.connect(TEST_GRANT);
    await upstream.close(0);
    expect(server.requests.at(-1)).toMatchObject({ httpMethod: 'DELETE' });
    expect(server.sessions).toBe(0);
    await expect(upstream.send(TEST_GRANT, callOf('echo'))).rejects.toMatchObject({ code: 'channel_closed' });
  });
});

describe('health', () => {
  test.for(['dual', 'legacy', 'modern'] as const)('a sign of life from an upstream that is %s', async (era) => {
    const { server, upstream } = await start({ era });
    await upstream.connect(TEST_GRANT);
    server.requests.length = 0;
    expect(await upstream.probe(TEST_GRANT)).toMatchObject({ status: 'healthy' });
    expect(server.requests.map(({ rpcMethod }) => rpcMethod)).toEqual([era === 'legacy' ? 'ping' : 'server/discover']);
  });

  test('a probe connects where nothing is known yet, and says why it cannot', async () => {
    const { server, upstream } = await start();
    server.intercept = () => new Response('', { status: 403 });
    expect(await upstream.probe(TEST_GRANT)).toMatchObject({
      status: 'failing',
      reason: { code: 'upstream_auth_refused' },
    });
    server.intercept = undefined;
    expect(await upstream.probe(TEST_GRANT)).toMatchObject({ status: 'healthy' });
    expect(upstream.facts?.listing.tools.length).toBeGreaterThan(0);
  });

  test('failures open the breaker, which names their reason; a probe closes it', async () => {
    const clock = new ManualClock();
    const { server, dialled, upstream } = await start({}, {}, { clock, dialClock: systemClock });
    await upstream.connect(TEST_GRANT);
    server.intercept = () => new Response('', { status: 502 });
    for (let failures = 1; failures <= 5; failures++)
      expect((await upstream.send(TEST_GRANT, callOf('echo'))).status).toBe(502);
    const arrived = server.requests.length;
    await expect(upstream.send(TEST_GRANT, callOf('echo'))).rejects.toMatchObject({
      code: 'upstream_unavailable',
      message: 'the upstream keeps failing: the upstream failed with status 502',
      details: { reason: 'upstream_http_status', retryInMs: 1000 },
    });
    expect(server.requests).toHaveLength(arrived);
    expect(upstream.health).toMatchObject({
      status: 'failing',
      breaker: 'open',
      consecutiveFailures: 5,
      nextProbeAt: '2026-01-01T00:00:01.000Z',
    });
    expect(dialled.eventsOf('breaker.opened')).toEqual([
      { gateway: 'up', retryInMs: 1000, code: 'upstream_http_status' },
    ]);
    server.intercept = undefined;
    expect(await upstream.probe(TEST_GRANT)).toMatchObject({ status: 'healthy', breaker: 'closed' });
    expect(dialled.eventsOf('upstream.recovered')).toEqual([{ gateway: 'up' }]);
    expect((await upstream.send(TEST_GRANT, callOf('echo'))).status).toBe(200);
  });

  test('an upstream that does not answer a probe in time', async () => {
    const clock = new ManualClock();
    const { server, upstream } = await start({ era: 'legacy' }, {}, { clock, dialClock: systemClock });
    await upstream.connect(TEST_GRANT);
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    server.intercept = () => {
      resolve();
      return new Promise(() => {});
    };
    const probed = upstream.probe(TEST_GRANT);
    await arrived;
    clock.advance(30_000);
    expect(await probed).toMatchObject({ status: 'failing', reason: { code: 'upstream_timeout' } });
    server.intercept = undefined;
  });
});

describe('close', () => {
  test('waits for calls under way', async () => {
    const { server, upstream } = await start();
    await upstream.connect(TEST_GRANT);
    const sent = upstream.send(TEST_GRANT, callOf('hold'));
    await server.untilHeld(1);
    const closed = upstream.close(60_000);
    server.release();
    expect(await (await sent).text(1e6)).toContain('released');
    await closed;
  });

  test('cuts streams when their time is over', async () => {
    const { upstream } = await start();
    await upstream.connect(TEST_GRANT);
    const listening = { notifications: { toolsListChanged: true } };
    const stream = await upstream.send(TEST_GRANT, modern('subscriptions/listen', listening));
    const read = stream.text(1e6);
    await Promise.all([upstream.close(1), expect(read).rejects.toMatchObject({ code: 'drain_timeout' })]);
  });
});
