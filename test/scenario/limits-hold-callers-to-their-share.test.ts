/** Rates and concurrency at the one door of MCP, by every way in. */
import { afterEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { modernCaller } from '../support/modern-caller.ts';
import { call } from '../support/scripted-server.ts';
import { rawExchange } from '../support/raw-request.ts';
import { openSocket } from '../support/web-socket.ts';

let upstream: McpUpstream;
let gateway: TestGateway;
let token: string;
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

async function start(limits: string): Promise<void> {
  upstream = await startMcpUpstream();
  gateway = await startGateway({ settings: { POSTERN_LIMITS: limits } });
  await gateway.register({ name: 'plain', url: upstream.url });
  token = await gateway.token('ann');
}

const tool = (id: number | string, name: string, text = 'x') => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: { text } },
});
const ask = (message: unknown, { path = '/mcp', as = token, signal = undefined as AbortSignal | undefined } = {}) =>
  postMessage(gateway.url + path, as, message, {}, signal);
const statuses = async (...answers: Promise<Response>[]) => (await Promise.all(answers)).map(({ status }) => status);

test('who is over its rate is told when to come back, in an error that keeps the id; others notice nothing', async () => {
  await start('subject=60/hour,burst=2');
  const first = await ask(tool(1, 'plain_echo'));
  expect([first.status, first.headers.get('ratelimit'), first.headers.get('retry-after')]).toEqual([
    200,
    '"subject";r=1;t=60',
    null,
  ]);
  await first.text();
  expect((await ask({ jsonrpc: '2.0', id: 2, method: 'ping' })).headers.get('ratelimit')).toBe('"subject";r=0;t=120');
  const refused = await ask(tool('three', 'plain_echo'));
  expect(refused.status).toBe(429);
  expect(Object.fromEntries(refused.headers)).toMatchObject({
    'retry-after': '60',
    ratelimit: '"subject";r=0;t=120',
    'ratelimit-policy': '"subject";q=2;w=120',
    'content-type': 'application/json',
  });
  expect(await refused.json()).toEqual({
    jsonrpc: '2.0',
    id: 'three',
    error: {
      code: -32000,
      message: 'the limit subject is reached; try again in 60 s',
      data: { code: 'too_many_requests', limit: 'subject', retryAfterSeconds: 60 },
    },
  });
  expect(upstream.requestsOf('tools/call').length).toBe(1);
  expect((await ask(tool(4, 'plain_echo'), { as: await gateway.token('bob') })).status).toBe(200);
  expect(gateway.events.filter(({ name }) => name === 'call.limited').map(({ fields }) => fields)).toEqual([
    { rule: 'subject', subject: 'ann', gateway: undefined, tool: undefined },
  ]);
  const metrics = await (await gateway.api('GET', '/metrics')).text();
  expect(metrics).toContain('postern_calls_limited_total{limit="subject"} 1');
});

test('a tool has one limit, whatever it is called by and however one gets there', async () => {
  await start('tool=5/day,tools=echo');
  const members = [{ gateway: 'plain', aliases: { parrot: 'echo' } }];
  expect((await gateway.api('POST', '/v1/servers', { name: 'desk', members })).status).toBe(201);
  const socket = await openSocket(`${gateway.url}/servers/plain/ws`, { headers: { authorization: `Bearer ${token}` } });
  expect(await statuses(ask(tool(1, 'plain_echo')), ask(tool(2, 'parrot'), { path: '/servers/desk/mcp' }))).toEqual([
    200, 200,
  ]);
  expect(await statuses(ask(tool(3, 'echo'), { path: '/servers/plain/mcp' }))).toEqual([200]);
  expect(
    await modernCaller(`${gateway.url}/mcp`, token).ask('tools/call', { name: 'plain_echo', arguments: { text: 'x' } }),
  ).toMatchObject({ status: 200 });
  socket.say(call(5));
  expect(await socket.next()).toMatchObject({ id: 5, result: {} });
  const [direct, alias, prefixed] = await Promise.all([
    ask(tool(6, 'echo'), { path: '/servers/plain/mcp' }),
    ask(tool(7, 'parrot'), { path: '/servers/desk/mcp' }),
    ask(tool(8, 'plain_echo')),
  ]);
  expect([direct.status, alias.status, prefixed.status]).toEqual([429, 429, 429]);
  const modern = await modernCaller(`${gateway.url}/mcp`, token).ask('tools/call', {
    name: 'plain_echo',
    arguments: { text: 'x' },
  });
  expect(modern).toMatchObject({ status: 429, answer: { error: { data: { code: 'too_many_requests' } } } });
  socket.say(call(9));
  expect(await socket.next()).toMatchObject({ id: 9, error: { data: { code: 'too_many_requests', limit: 'tool' } } });
  // what some servers would read as another tool than the one that was counted
  const twofold = { ...tool(10, 'fail'), params: { name: 'fail', Name: 'echo', arguments: { text: 'x' } } };
  expect(await statuses(ask(twofold, { path: '/servers/plain/mcp' }))).toEqual([400]);
  expect(await statuses(ask({ jsonrpc: '2.0', id: 11, method: 'tools/list' }))).toEqual([200]);
  socket.socket.close();
});

test('as many calls and streams as may be are under way, and each end makes room', async () => {
  await start('subject,concurrency=3');
  const leaving = new AbortController();
  for (let round = 1; round <= 3; round++) {
    const held = Array.from({ length: 3 }, (_, id) => ask(tool(id, 'plain_hold', `${id}`), { signal: leaving.signal }));
    await upstream.untilHeld(3);
    const refused = await ask(tool(9, 'plain_echo'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(refused.headers.get('ratelimit-policy')).toBe('"subject";q=3;qu="concurrent-requests"');
    expect(refused.headers.get('ratelimit')).toBe('"subject";r=0');
    await refused.text();
    if (round < 3) upstream.release();
    else leaving.abort();
    for (const answer of await Promise.allSettled(held)) if (answer.status === 'fulfilled') await answer.value.text();
    await expect
      .poll(async () => {
        const answer = await ask(tool(9, 'plain_echo'));
        await answer.text();
        return answer.status;
      })
      .toBe(200);
  }
});

test('a stream without an end is under way until its caller leaves or it ends, also where calls fail', async () => {
  await start('subject,concurrency=2');
  const session = await ask({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  });
  await session.text();
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'text/event-stream',
    'mcp-session-id': session.headers.get('mcp-session-id') ?? '',
  };
  const leaving = new AbortController();
  const open = () => fetch(`${gateway.url}/mcp`, { headers, signal: leaving.signal });
  expect(await statuses(open(), open())).toEqual([200, 200]);
  expect(await statuses(open(), ask(tool(1, 'plain_echo')))).toEqual([429, 429]);
  // to answer, to cancel and to leave is always allowed
  const answer = { jsonrpc: '2.0', id: 'unknown', result: {} };
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
  expect(await statuses(ask(answer), ask(cancel))).not.toContain(429);
  leaving.abort();
  await expect.poll(() => statuses(ask(tool(1, 'plain_echo')), ask(tool(2, 'plain_echo')))).toEqual([200, 200]);
  await upstream.close();
  for (let failed = 0; failed < 4; failed++) expect(await statuses(ask(tool(failed, 'plain_echo')))).toEqual([200]);
});

test('an address has one limit, whoever calls from there', async () => {
  await start('address=1/hour');
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
  const from = async (address: string, subject: string): Promise<string> => {
    const authorization = `authorization: Bearer ${await gateway.token(subject)}`;
    const head = ['POST /mcp HTTP/1.1', 'host: localhost', 'connection: close', 'content-type: application/json'];
    const lines = [...head, authorization, `content-length: ${body.length}`, '', body];
    return (await rawExchange(gateway.url, lines.join('\r\n'), { from: address })).slice(9, 12);
  };
  expect(await from('127.0.0.3', 'ann')).toBe('200');
  expect(await from('127.0.0.3', 'bob')).toBe('429');
  expect(await from('127.0.0.4', 'ann')).toBe('200');
});
