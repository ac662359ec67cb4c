import { afterEach, describe, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { startMcpUpstream, type McpUpstream, type McpUpstreamOptions } from '../../support/mcp-upstream.ts';
import { dialUpstream, TEST_GRANT, type DialledUpstream } from '../../support/upstream.ts';
import type { TestConfig } from '../../support/upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).toReversed()) await thing.close();
});

async function start(
  options: McpUpstreamOptions,
  config: Partial<TestConfig> = {},
): Promise<{ server: McpUpstream; dialled: DialledUpstream }> {
  const server = await startMcpUpstream(options);
  const dialled = dialUpstream({ url: new URL(server.url), ...config });
  open.push(server, dialled);
  return { server, dialled };
}

const namesOf = (items: readonly Readonly<Record<string, unknown>>[]) => items.map((item) => item['name']);

describe('eras', () => {
  test('an upstream of both eras is known as both', async () => {
    const { dialled } = await start({ era: 'dual', instructions: 'be kind' });
    const facts = await dialled.upstream.connect(TEST_GRANT);
    expect(facts).toMatchObject({
      transport: 'streamable-http',
      modern: { supportedVersions: ['2026-07-28'], instructions: 'be kind', serverInfo: { name: 'fixture' } },
      legacy: { protocolVersion: '2025-11-25', instructions: 'be kind', serverInfo: { name: 'fixture' } },
    });
    expect(namesOf(facts.listing.tools)).toContain('echo');
    expect(namesOf(facts.listing.prompts)).toEqual(['greet']);
    expect(facts.listing.resources).toHaveLength(2);
    expect(facts.listing.resourceTemplates).toEqual([expect.objectContaining({ uriTemplate: 'test://item/{id}' })]);
    expect(dialled.upstream.health).toMatchObject({ status: 'healthy', breaker: 'closed' });
  });

  test('a legacy upstream is listed in one session, which stays open for later', async () => {
    const { server, dialled } = await start({ era: 'legacy' });
    const facts = await dialled.upstream.connect(TEST_GRANT);
    expect(facts.modern).toBeUndefined();
    expect(namesOf(facts.listing.tools)).toContain('echo');
    expect(server.sessions).toBe(1);
    await dialled.upstream.sharedSession(TEST_GRANT);
    await dialled.upstream.connect(TEST_GRANT);
    expect(server.sessions).toBe(1);
  });

  test('a legacy upstream without sessions', async () => {
    const { dialled } = await start({ era: 'legacy', legacySessions: false, jsonResponses: true });
    const facts = await dialled.upstream.connect(TEST_GRANT);
    expect(namesOf(facts.listing.tools)).toContain('echo');
    expect((await dialled.upstream.sharedSession(TEST_GRANT)).headers).toEqual({
      'mcp-protocol-version': '2025-11-25',
    });
  });

  test('a modern upstream has no legacy facts', async () => {
    const { server, dialled } = await start({ era: 'modern' });
    const facts = await dialled.upstream.connect(TEST_GRANT);
    expect(facts.legacy).toBeUndefined();
    expect(namesOf(facts.listing.tools)).toContain('echo');
    expect(server.requestsOf('tools/list')[0]?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    });
  });

  test('a modern upstream that answers initialize with nonsense is a modern upstream', async () => {
    const { server, dialled } = await start({ era: 'modern' });
    server.intercept = ({ rpcMethod, rpcId: id }) =>
      rpcMethod === 'initialize'
        ? Response.json({ jsonrpc: '2.0', id, result: { protocolVersion: '2026-07-28', capabilities: {} } })
        : undefined;
    const facts = await dialled.upstream.connect(TEST_GRANT);
    expect(facts.legacy).toBeUndefined();
    expect(namesOf(facts.listing.tools)).toContain('echo');
  });

  test('a failing discover is no evidence: the modern era stays known', async () => {
    const { server, dialled } = await start({ era: 'dual' });
    await dialled.upstream.connect(TEST_GRANT);
    server.intercept = ({ rpcMethod }) =>
      rpcMethod === 'server/discover' ? new Response('overloaded', { status: 503 }) : undefined;
    expect(await dialled.upstream.connect(TEST_GRANT)).toMatchObject({ modern: { supportedVersions: ['2026-07-28'] } });
  });
});

describe('transports', () => {
  test('HTTP+SSE is found when a POST is refused', async () => {
    const { dialled } = await start({ transport: 'sse' });
    const facts = await dialled.upstream.connect(TEST_GRANT);
    expect(facts).toMatchObject({ transport: 'sse', legacy: { serverInfo: { name: 'fixture' } } });
    expect(namesOf(facts.listing.tools)).toContain('echo');
  });

  test('a chosen transport is not second-guessed', async () => {
    const { server, dialled } = await start({ transport: 'sse' }, { transport: 'streamable-http' });
    await expect(dialled.upstream.connect(TEST_GRANT)).rejects.toMatchObject({ code: 'upstream_protocol' });
    expect(server.requests.some(({ httpMethod }) => httpMethod === 'GET')).toBe(false);
  });

  test('a wrong path is told as such', async () => {
    const { server } = await start({});
    const wrong = dialUpstream({ url: new URL(`${server.origin}/nothing`) });
    open.push(wrong);
    await expect(wrong.upstream.connect(TEST_GRANT)).rejects.toMatchObject({
      code: 'upstream_protocol',
      message: 'expected an answer to initialize, met status 404, and a GET opened no event stream',
      hint: expect.stringContaining('path'),
    });
  });
});

describe('listings', () => {
  test('all pages are read, the empty cursor included', async () => {
    const extraTools = Array.from({ length: 30 }, (_, index) => `extra_${index}`);
    const { server, dialled } = await start({ extraTools, pageSize: 7, emptyCursor: true });
    const { listing } = await dialled.upstream.connect(TEST_GRANT);
    expect(new Set(namesOf(listing.tools)).size).toBe(listing.tools.length);
    expect(namesOf(listing.tools)).toEqual(expect.arrayContaining(['echo', 'extra_0', 'extra_29']));
    expect(server.requestsOf('tools/list')[1]?.params).toMatchObject({ cursor: '' });
  });

  test('what has no capability is empty and not asked for', async () => {
    const { server, dialled } = await start({ toolsOnly: true });
    const { listing } = await dialled.upstream.connect(TEST_GRANT);
    expect(listing).toMatchObject({ prompts: [], resources: [], resourceTemplates: [] });
    expect(server.requestsOf('prompts/list')).toEqual([]);
  });
});

describe('refusals', () => {
  const refused = async (answer: () => Response, config: Partial<TestConfig> = {}) => {
    const { server, dialled } = await start({}, config);
    server.intercept = answer;
    const error: unknown = await dialled.upstream.connect(TEST_GRANT).catch((thrown: unknown) => thrown);
    return { error, dialled, server };
  };

  test.for([401, 403])('status %i says nothing about eras: credentials were refused', async (status) => {
    const { error, dialled, server } = await refused(() => new Response('no', { status }));
    expect(error).toMatchObject({ code: 'upstream_auth_refused', details: { status } });
    expect(server.requests).toHaveLength(1);
    expect(dialled.upstream.health).toMatchObject({
      status: 'failing',
      reason: { code: 'upstream_auth_refused' },
      breaker: 'closed',
    });
  });

  test('a redirect is not followed, and only its origin is named', async () => {
    const location = 'https://elsewhere.test/mcp?key=hidden';
    const { error } = await refused(() => new Response(null, { status: 307, headers: { location } }));
    expect(error).toMatchObject({ code: 'upstream_redirect', hint: expect.stringContaining('client certificate') });
    expect(String(error)).toContain('https://elsewhere.test');
    expect(String(error)).not.toContain('hidden');
  });

  test('a web page is no MCP server', async () => {
    const { error } = await refused(() => new Response('<html>', { headers: { 'content-type': 'text/html' } }));
    expect(error).toMatchObject({ code: 'upstream_protocol', message: 'expected an MCP answer, met text/html' });
  });

  test('a failing server', async () => {
    const { error } = await refused(() => new Response('', { status: 500 }));
    expect(error).toMatchObject({ code: 'upstream_http_status', details: { status: 500 } });
  });

  test('an answer beyond reason is not read to its end', async () => {
    const huge = `{"jsonrpc":"2.0","id":0,"result":{"x":"${'x'.repeat(17 * 1024 * 1024)}"}}`;
    const { error } = await refused(() => new Response(huge, { headers: { 'content-type': 'application/json' } }));
    expect(error).toMatchObject({ code: 'upstream_too_large' });
  });

  test('nobody there', async () => {
    const server = await startMcpUpstream();
    await server.close();
    const dialled = dialUpstream({ url: new URL(server.url) });
    open.push(dialled);
    await expect(dialled.upstream.connect(TEST_GRANT)).rejects.toMatchObject({ code: 'tcp_refused' });
    expect(dialled.upstream.health).toMatchObject({ status: 'failing', consecutiveFailures: 1 });
    expect(dialled.eventsOf('upstream.failed')).toEqual([
      expect.objectContaining({ gateway: 'up', code: 'tcp_refused', during: 'connect' }),
    ]);
  });
});

test('credentials go with every request, on both transports, and nowhere into errors', async () => {
  for (const transport of ['streamable-http', 'sse'] as const) {
    const credentials = {
      headers: { authorization: new Secret('Bearer t0ken') },
      query: { api_key: new Secret('k&y') },
    };
    const { server, dialled } = await start({ transport }, { credentials });
    await dialled.upstream.connect(TEST_GRANT);
    expect(server.requests.length).toBeGreaterThan(5);
    for (const { headers, path } of server.requests) {
      expect(headers.authorization).toBe('Bearer t0ken');
      expect(new URL(path, server.origin).searchParams.get('api_key')).toBe('k&y');
    }
  }
});
