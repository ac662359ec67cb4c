import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventLines } from '../support/event-lines.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const ERAS = ['legacy', 'modern'] as const;
type Params = Readonly<Record<string, unknown>>;
interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

let upstream: McpUpstream;
let gateway: TestGateway;
let token: string;
let url: string;

beforeAll(async () => {
  upstream = await startMcpUpstream({ name: 'crm', extraTools: ['find', 'delete'] });
  gateway = await startGateway();
  token = await gateway.token('ann');
  await gateway.register({ name: 'crm', url: upstream.url });
  const saved = await gateway.api('POST', '/v1/servers', {
    name: 'Careful',
    members: [
      {
        gateway: 'crm',
        prefix: '',
        denyTools: ['delete'],
        denyResources: ['test://binary', 'test://item/*', 'file:///etc/*'],
      },
    ],
  });
  expect(saved.status).toBe(201);
  url = `${gateway.url}/servers/careful/mcp`;
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** One request, `params` given as JSON text where its spelling matters. */
async function ask(era: (typeof ERAS)[number], method: string, params: Params | string): Promise<Answer> {
  const meta = era === 'modern' ? { _meta: ENVELOPE } : {};
  const text =
    typeof params === 'string'
      ? params.replace(/\}$/, era === 'modern' ? `,"_meta":${JSON.stringify(ENVELOPE)}}` : '}')
      : JSON.stringify({ ...params, ...meta });
  const { name, uri } = JSON.parse(text) as { name?: string; uri?: string };
  const named = method === 'completion/complete' ? undefined : (name ?? uri);
  const headers = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(named !== undefined && { 'mcp-name': `=?base64?${Buffer.from(named).toString('base64')}?=` }),
  };
  const message = `{"jsonrpc":"2.0","id":1,"method":${JSON.stringify(method)},"params":${text}}`;
  const response = await postMessage(url, token, message, era === 'modern' ? headers : {});
  const body = await response.text();
  const json = body.startsWith('{') ? body : (body.match(/^data: (\{.*)$/m)?.[1] ?? '{}');
  return JSON.parse(json) as Answer;
}

test.each(ERAS)('a completion names one thing only, whatever else it says: %s', async (era) => {
  const before = upstream.requestsOf('completion/complete').length;
  const argument = { name: 'id', value: 'p' };
  const shown = { type: 'ref/prompt', name: 'greet' };
  expect((await ask(era, 'completion/complete', { ref: shown, argument })).result).toBeDefined();
  for (const ref of [
    { type: 'ref/resource', name: 'greet', uri: 'test://item/{id}' },
    { type: 'ref/prompt', uri: 'test://text' },
  ])
    expect((await ask(era, 'completion/complete', { ref, argument })).error, JSON.stringify(ref)).toBeDefined();
  expect(upstream.requestsOf('completion/complete')).toHaveLength(before + 1);
});

test.each(ERAS)('a URI is hidden in every spelling that servers read as the same: %s', async (era) => {
  const before = upstream.requestsOf('resources/read').length;
  for (const uri of [
    'TEST://binary',
    ' test://binary',
    'test://bin\tary',
    'test://bina\nry',
    'test://b%69nary',
    'test://item%2f7',
    'Test://item/7',
    'file:///./etc/passwd',
    'file:///tmp/../etc/passwd',
    'file:///tmp/%2e%2E/etc/passwd',
    'file:///%65tc/passwd',
    'file://localhost/etc/passwd',
    'file:/etc/passwd',
    String.raw`file:///\etc/passwd`,
  ]) {
    const { error } = await ask(era, 'resources/read', { uri });
    expect(error?.message, uri).toMatch(/^nothing here is called/);
  }
  expect(upstream.requestsOf('resources/read')).toHaveLength(before);
  expect((await ask(era, 'resources/read', { uri: 'test://text' })).result).toBeDefined();
  expect((await ask(era, 'resources/read', { uri: 'test://unlisted' })).error?.message).toMatch(/not found/);
});

test.each(ERAS)('what goes upstream is read in one way only: %s', async (era) => {
  upstream.intercept = undefined;
  const before = upstream.requestsOf('tools/call').length;
  for (const params of [
    '{"name":"find","Name":"delete"}',
    '{"NAME":"delete","name":"find"}',
    '{"name":"find","n\\u0061mE":"delete"}',
    '{"name":"find","\\u017fname":1,"namE":"delete"}',
  ])
    expect((await ask(era, 'tools/call', params)).error?.message, params).toMatch(/read as another member/);
  expect(upstream.requestsOf('tools/call')).toHaveLength(before);
});

test('no message carries a second one along, whatever it is', async () => {
  const client = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  const opened = await postMessage(url, token, { jsonrpc: '2.0', id: 0, method: 'initialize', params: client });
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await opened.text();
  const before = upstream.requests.length;
  const carried = '"Method":"tools/call","ID":7,"params":{"name":"delete"}';
  for (const first of [
    '"id":1,"method":"initialize"',
    '"id":1,"method":"tools/list"',
    '"id":1,"method":"logging/setLevel"',
    '"method":"notifications/progress"',
    '"method":"notifications/cancelled"',
  ]) {
    const response = await postMessage(url, token, `{"jsonrpc":"2.0",${first},${carried}}`, session);
    expect(await response.text(), first).toMatch(/read as another member/);
  }
  const answer = '{"jsonrpc":"2.0","id":"gw:x:1","result":{},"Method":"tools/call","params":{"name":"delete"}}';
  expect(await (await postMessage(url, token, answer, session)).text()).toMatch(/read as another member/);
  expect(upstream.requests).toHaveLength(before);
  // without an id it is not answered, but some servers do as it says
  const unasked = { jsonrpc: '2.0', method: 'tools/call', params: { name: 'delete' } };
  expect(await (await postMessage(url, token, unasked, session)).text()).toMatch(/needs an id/);
  expect(upstream.requests).toHaveLength(before);
  // of two that are the same the last one counts, and it alone goes on
  const twice = '{"jsonrpc":"2.0","method":"tools/call","method":"notifications/progress","params":{}}';
  expect((await postMessage(url, token, twice, session)).status).toBe(202);
  expect(upstream.requests.at(-1)?.rpcMethod).toBe('notifications/progress');
});

test('a listener is told of no resource that is hidden, and asks for none upstream', async () => {
  const legacyOnly = await startMcpUpstream({ name: 'old', era: 'legacy' });
  try {
    await gateway.register({ name: 'old', url: legacyOnly.url });
    const hides = { prefix: '', tools: [], prompts: [], denyResources: ['test://binary'] };
    await gateway.api('POST', '/v1/servers', { name: 'Bridged', members: [{ gateway: 'old', ...hides }] });
    for (const [slug, server] of [
      ['careful', upstream],
      ['bridged', legacyOnly],
    ] as const) {
      const left = new AbortController();
      const resourceSubscriptions = ['test://text', 'test://binary', 'TEST://binary'];
      const params = { notifications: { resourceSubscriptions }, _meta: ENVELOPE };
      const response = await postMessage(
        `${gateway.url}/servers/${slug}/mcp`,
        token,
        { jsonrpc: '2.0', id: 'l', method: 'subscriptions/listen', params },
        { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' },
        left.signal,
      );
      const events = new EventLines(response);
      const acknowledged = await events.next('subscriptions/acknowledged');
      expect(acknowledged['notifications']).toEqual({ resourceSubscriptions: ['test://text'] });
      await server.updateResource('test://binary');
      await server.updateResource('test://text');
      expect(await events.next('resources/updated')).toMatchObject({ uri: 'test://text' });
      left.abort();
      const watched = server.requests.flatMap(({ params: asked }) => JSON.stringify(asked ?? {}));
      expect(watched.filter((text) => text.includes('test://text'))).not.toEqual([]);
      expect(watched.filter((text) => /test:\/\/binary/i.test(text))).toEqual([]);
    }
  } finally {
    await legacyOnly.close();
  }
});

test('who asks to hear of a million resources does not hold up the others', async () => {
  const left = new AbortController();
  const resourceSubscriptions = Array.from({ length: 400_000 }, (_, index) => `x:%41/../${index}`);
  const params = {
    notifications: { resourceSubscriptions: ['test://text', ...resourceSubscriptions] },
    _meta: ENVELOPE,
  };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
  const message = { jsonrpc: '2.0', id: 'l', method: 'subscriptions/listen', params };
  const events = new EventLines(await postMessage(url, token, message, headers, left.signal));
  const { notifications } = await events.next('subscriptions/acknowledged');
  expect((notifications as typeof params.notifications).resourceSubscriptions).toHaveLength(256);
  left.abort();
});

test('a legacy stream tells of no resource that is hidden', async () => {
  const initialize = {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  };
  const opened = await postMessage(url, token, initialize);
  const session = opened.headers.get('mcp-session-id') ?? '';
  await opened.text();
  const left = new AbortController();
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'mcp-session-id': session };
  const listened = upstream.requests.filter(({ httpMethod }) => httpMethod === 'GET').length;
  const events = new EventLines(await fetch(url, { headers, signal: left.signal }));
  while (upstream.requests.filter(({ httpMethod }) => httpMethod === 'GET').length === listened)
    await new Promise(setImmediate);
  // the official server tells every session, subscribed or not
  await upstream.updateResource('test://binary');
  await upstream.updateResource('test://text');
  expect(await events.next('resources/updated')).toEqual({ uri: 'test://text' });
  left.abort();
});
