import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Platform } from '../../src/platform.ts';
import { bare, inParallel, modern, openCallers } from '../support/callers.ts';
import type { Callers, CallRoute } from '../support/callers.ts';
import { startFailingServer } from '../support/failing-server.ts';
import type { FailingServer, Fault } from '../support/failing-server.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { until } from '../support/until.ts';

/** Time limits come ten times sooner; the wall clock stays as it is. */
const hurried = (platform: Platform): Platform => ({
  ...platform,
  clock: { ...platform.clock, after: (delayMs, task) => platform.clock.after(delayMs / 10, task) },
});

const CODES: Readonly<Record<Fault, string>> = {
  slow: 'upstream_timeout',
  dead: 'tcp_refused',
  garbage: 'upstream_protocol',
  huge: 'upstream_too_large',
  headers: 'upstream_headers_too_large',
};
const FAULTS = Object.keys(CODES) as Fault[];
const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
/** The longest answer that is read for anything but passing it on, and what sockets hold on the way. */
const HELD_BYTES = 32 * 1024 * 1024;

let good: McpUpstream;
let failing: Map<Fault, FailingServer>;
let gateway: TestGateway;
let callers: Callers;
let token: string;
beforeEach(async () => {
  good = await startMcpUpstream();
  failing = new Map(await Promise.all(FAULTS.map(async (fault) => [fault, await startFailingServer(fault)] as const)));
  gateway = await startGateway({ wrapPlatform: hurried });
  await gateway.register({ name: 'good', url: good.url });
  for (const [fault, { url }] of failing) await gateway.register({ name: fault, url });
  token = await gateway.token('ann');
  callers = openCallers(gateway.url, token, 16);
  for (const server of failing.values()) await server.fail();
});
afterEach(async () => {
  await callers.close();
  await gateway.close();
  await good.close();
  for (const server of failing.values()) await server.close();
});

const ask = async (path: string, method: string, params: object, signal?: AbortSignal): Promise<Response> =>
  fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: '*/*' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    ...(signal && { signal }),
  });

async function callsOfGood(routes: readonly CallRoute[], count: number): Promise<void> {
  const before = good.requestsOf('tools/call').length;
  await inParallel(count, 16, async (index) => {
    const route = routes[index % routes.length] ?? bare('/mcp', 'good_echo');
    expect(await callers.call(route, `text ${index}`)).toBe(`text ${index}`);
  });
  expect(good.requestsOf('tools/call').length - before).toBe(count);
}

test('each fault has a code of its own, for the caller and in health; the good one is called as ever', async () => {
  const routes = [
    bare('/mcp', 'good_echo'),
    modern('/mcp', 'good_echo'),
    bare('/servers/good/mcp', 'echo'),
    await callers.session('/servers/good/mcp', 'echo'),
  ];
  const leaving = new AbortController();
  let settled = 0;
  const pending = Array.from({ length: 40 }, () =>
    ask('/mcp', 'tools/call', { name: 'slow_echo', arguments: {} }, leaving.signal)
      .catch(() => undefined)
      .finally(() => settled++),
  );
  const asked = FAULTS.map(async (fault) => {
    const answer = await ask(`/servers/${fault}/mcp`, 'initialize', INITIALIZE);
    return [fault, ((await answer.json()) as { error: { data: { code: string } } }).error.data.code] as const;
  });
  await callsOfGood(routes, 200);
  expect(Object.fromEntries(await Promise.all(asked))).toEqual(CODES);
  await callsOfGood(routes, 200);
  expect(settled).toBe(0);

  await Promise.all(FAULTS.map((fault) => gateway.api('POST', `/v1/gateways/${fault}/check`)));
  await callsOfGood(routes, 200);
  const views = (await (await gateway.api('GET', '/v1/gateways')).json()) as {
    slug: string;
    health: { status: string; reason: { code: string } | null };
  }[];
  const named = views.map(({ slug, health }) => [slug, health.reason?.code ?? health.status]);
  expect(Object.fromEntries(named)).toEqual({ ...CODES, good: 'healthy' });
  const health = (await (await fetch(`${gateway.url}/health`)).json()) as { failing: { slug: string; code: string }[] };
  expect(Object.fromEntries(health.failing.map(({ slug, code }) => [slug, code]))).toEqual(CODES);

  expect(failing.get('huge')?.sentBytes).toBeLessThan(HELD_BYTES);
  expect(failing.get('headers')?.sentBytes).toBeLessThan(HELD_BYTES);
  leaving.abort();
  await Promise.all(pending);
});

test('lists of all of them come from what was known, and a session is opened with those that answer', async () => {
  const listed = await (await ask('/mcp', 'tools/list', {})).text();
  expect(listed).toContain('good_echo');
  const opened = await postMessage(`${gateway.url}/mcp`, token, {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: INITIALIZE,
  });
  expect(await opened.text()).toContain('"result"');
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'good_echo', arguments: { text: 'x' } } };
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  expect(await (await postMessage(`${gateway.url}/mcp`, token, call, session)).text()).toContain('"text":"x"');
});

test('an answer without end is passed on as fast as it is read, and no faster', async () => {
  const huge = failing.get('huge');
  const leaving = new AbortController();
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const answer = await fetch(`${gateway.url}/servers/huge/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', _meta: meta } }),
    signal: leaving.signal,
  });
  await callsOfGood([bare('/mcp', 'good_echo')], 300);
  const unread = huge?.sentBytes ?? 0;
  expect(unread).toBeLessThan(HELD_BYTES);
  const reader = answer.body?.getReader();
  for (let read = 0; read < 2 * unread;) read += (await reader?.read())?.value?.byteLength ?? Infinity;
  expect(huge?.sentBytes).toBeGreaterThan(unread);
  leaving.abort();
  await reader?.read().catch(() => undefined);
  await until(() => huge?.connections === 0);
});
