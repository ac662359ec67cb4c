import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { ChannelResponse } from '../../../src/tls/dialer.ts';
import { Stdio } from '../../../src/upstream/stdio/stdio.ts';
import type { TransportRequest } from '../../../src/upstream/transport.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import { scriptedPrograms } from '../../support/scripted-programs.ts';

const MODERN = '2026-07-28';
const INITIALIZED = { result: { protocolVersion: '2025-11-25', capabilities: {} } };

function open({ answer = () => undefined as object | undefined, maxSessions = 2 } = {}) {
  const clock = new ManualClock();
  const events = recordEvents();
  const spawner = scriptedPrograms(({ method }) => (method === 'initialize' ? INITIALIZED : answer()));
  const target = { kind: 'stdio', command: 'x', args: ['a'], env: { KEY: new Secret('v') }, cwd: '/srv' } as const;
  const stdio = new Stdio({ target, spawner, maxSessions, clock, events: events.sink, label: { gateway: 'up' } });
  let lastId = 0;
  const post = (method: string, more: Partial<TransportRequest> = {}, params: object = {}) =>
    stdio.send({
      method: 'POST',
      headers: {},
      body: JSON.stringify({ jsonrpc: '2.0', id: ++lastId, method, params }),
      mcpMethod: method,
      ...more,
    });
  const session = async (more: Partial<TransportRequest> = {}) => {
    const response = await post('initialize', more);
    return { 'mcp-session-id': response.headers['mcp-session-id'] ?? '' };
  };
  const modern = (method: string, params: object = {}, more: Partial<TransportRequest> = {}) => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': MODERN,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const headers = { 'mcp-protocol-version': MODERN, 'mcp-method': method };
    const _meta = { ...meta, ...(params as { _meta?: object })._meta };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'same', method, params: { ...params, _meta } });
    return post(method, { headers, body, ...more });
  };
  return { clock, events, spawner, stdio, post, session, modern };
}

const text = (response: ChannelResponse) => response.text(1e6);
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a program is started with what its gateway says', async () => {
  const { spawner, session } = open();
  await session();
  expect(spawner.started[0]?.program).toEqual({ command: 'x', args: ['a'], env: { KEY: 'v' }, cwd: '/srv' });
});

test('requests without a session, in a lost one, or in another manner are answered as a server would', async () => {
  const { stdio, post, session, modern } = open();
  expect((await post('tools/list')).status).toBe(400);
  expect((await post('tools/list', { headers: { 'mcp-session-id': 'nobody' } })).status).toBe(404);
  const headers = await session();
  const listen = () => stdio.send({ method: 'GET', headers, mcpMethod: 'GET' });
  expect((await listen()).status).toBe(200);
  expect((await listen()).status).toBe(409);
  const notification = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
  expect((await post('x', { headers, body: notification })).status).toBe(202);
  expect((await stdio.send({ method: 'DELETE', headers, mcpMethod: 'DELETE' })).status).toBe(200);
  expect((await post('ping', { headers })).status).toBe(404);
  expect((await modern('ping', {}, { method: 'GET' })).status).toBe(405);
  expect((await modern('ping', {}, { body: notification })).status).toBe(400);
  expect((await modern('ping', {}, { headers: { 'mcp-protocol-version': MODERN, 'mcp-method': 'x' } })).status).toBe(
    400,
  );
});

test('one session too many takes the place of one that lay idle for a minute, never of one in use', async () => {
  const { clock, stdio, post, session, spawner } = open();
  const [ann, bob] = [await session(), await session()];
  await expect(session()).rejects.toMatchObject({ code: 'process_limit_reached' });
  clock.advance(60_000);
  void stdio.send({ method: 'GET', headers: ann, mcpMethod: 'GET' });
  const carl = await session();
  expect(spawner.started.map(({ closed }) => closed)).toEqual([false, true, false]);
  expect((await post('ping', { headers: bob })).status).toBe(404);
  clock.advance(60_000);
  void post('tools/call', { headers: carl });
  await expect(session()).rejects.toMatchObject({ code: 'process_limit_reached' });
  await expect(session({ shared: true })).resolves.toBeDefined();
});

test('a session that lies idle for half an hour is ended', async () => {
  const { clock, session, spawner } = open();
  await session();
  clock.advance(29 * 60_000);
  expect(spawner.started[0]?.closed).toBe(false);
  clock.advance(31 * 60_000);
  expect(spawner.started[0]?.closed).toBe(true);
});

test('in a session of its own a caller hears everything, in a shared one only what names its request', async () => {
  const log = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'private' } };
  const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
  const question = { jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: {} };
  for (const shared of [false, true]) {
    const { spawner, session, post, stdio } = open();
    const headers = await session(shared ? { shared } : {});
    const answer = post('tools/call', { headers });
    const listened = await stdio.send({ method: 'GET', headers, mcpMethod: 'GET' });
    await settled();
    const [program] = spawner.started;
    for (const message of [log, changed, question, 'no message']) program?.say(message);
    program?.say({ jsonrpc: '2.0', id: 2, result: {} });
    const heard = await text(await answer);
    await stdio.close(new GatewayError('channel_closed', 'the test is over'));
    const listening = await text(listened);
    const reaches = (where: string) => [log, changed, question].map(({ method }) => where.includes(method));
    expect(reaches(heard)).toEqual([!shared, false, !shared]);
    expect(reaches(listening)).toEqual([false, true, false]);
    expect(program?.received.some(({ id }) => id === 'q')).toBe(shared);
  }
});

test('requests of the modern era under one id are not crossed; what belongs to none is dropped', async () => {
  const { spawner, modern } = open();
  const answers = ['a', 'b'].map((name) => modern('x', { name, _meta: { progressToken: 7 } }));
  await settled();
  const [program] = spawner.started;
  expect(spawner.started).toHaveLength(1);
  const [first, second] = program?.received ?? [];
  expect(first?.id).not.toBe(second?.id);
  program?.say({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'whose?' } });
  program?.say({
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken: second?.id, progress: 1 },
  });
  program?.say({ jsonrpc: '2.0', id: second?.id, result: { name: 'b' } });
  program?.say({ jsonrpc: '2.0', id: first?.id, result: { name: 'a' } });
  const [a, b] = await Promise.all(answers.map(async (answer) => text(await answer)));
  expect(JSON.parse(a ?? '')).toEqual({ jsonrpc: '2.0', id: 'same', result: { name: 'a' } });
  expect(b).toContain('"progressToken":7');
  expect(b).toContain('"id":"same","result":{"name":"b"}');
  expect(b).not.toContain('whose');
});

test('a modern request whose caller leaves is cancelled under our id, and its late answer goes to nobody', async () => {
  const { spawner, modern } = open();
  const leaving = new AbortController();
  const answer = modern('x', {}, { signal: leaving.signal });
  await settled();
  const [program] = spawner.started;
  leaving.abort(new GatewayError('call_cancelled', 'left'));
  await expect(answer).rejects.toMatchObject({ code: 'call_cancelled' });
  const sentId = program?.received[0]?.id;
  expect(program?.received[1]).toMatchObject({ method: 'notifications/cancelled', params: { requestId: sentId } });
  program?.say({ jsonrpc: '2.0', id: sentId, result: {} });
  const next = modern('y');
  await settled();
  program?.say({ jsonrpc: '2.0', id: program.received[2]?.id, result: { next: true } });
  expect(await text(await next)).toContain('"next":true');
});

test('a program that ends fails what is in flight at once, and is started again', async () => {
  const { spawner, modern, events } = open();
  const answer = modern('x');
  await settled();
  spawner.started[0]?.say({ jsonrpc: '2.0', id: 999, result: {} });
  spawner.started[0]?.exit(9);
  await expect(answer).rejects.toMatchObject({
    code: 'process_exited',
    message: 'the program ended with exit code 9',
    hint: 'the program last wrote: last words',
  });
  void modern('x').catch(() => undefined);
  await settled();
  expect(spawner.started).toHaveLength(2);
  expect(events.of('process.ended')).toEqual([
    { gateway: 'up', pid: 1, exitCode: 9, signal: null, noise: 0, unexpected: true },
  ]);
});

test('a program that does not answer a ping while it has nothing else to do is ended; a busy one is not', async () => {
  const { clock, spawner, session, post } = open();
  const headers = await session({ shared: true });
  const busy = post('tools/call', { headers });
  const ping = () => post('ping', { headers });
  const first = ping();
  clock.advance(60_000);
  await expect(first).rejects.toMatchObject({ code: 'upstream_timeout' });
  expect(spawner.started[0]?.closed).toBe(false);
  spawner.started[0]?.say({ jsonrpc: '2.0', id: 2, result: {} });
  await busy;
  const second = ping();
  clock.advance(60_000);
  await expect(second).rejects.toMatchObject({ code: 'upstream_timeout', hint: 'the program last wrote: last words' });
  expect(spawner.started[0]?.closed).toBe(true);
});

test('two requests with one id in one session are told apart by refusing the second', async () => {
  const { session, post } = open();
  const headers = await session();
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'same', method: 'tools/call' });
  void post('tools/call', { headers, body });
  await expect(post('tools/call', { headers, body })).rejects.toMatchObject({ code: 'request_invalid' });
});

test('a text of several lines is sent as one', async () => {
  const { spawner, session, post } = open({ answer: () => ({ result: {} }) });
  const headers = await session();
  await post('x', { headers, body: '{\n"jsonrpc": "2.0",\r\n "id": 5, "method": "x", "params": {"a": "\u2028"}}' });
  expect(spawner.started[0]?.received.at(-1)).toEqual({ jsonrpc: '2.0', id: 5, method: 'x', params: { a: '\u2028' } });
});

test('closing ends every program, also one that is being started', async () => {
  const { stdio, session, modern, spawner } = open();
  await session();
  const late = modern('x');
  const refused = expect(late).rejects.toMatchObject({ code: 'channel_closed' });
  await stdio.close(new GatewayError('channel_closed', 'the test is over'));
  await refused;
  expect(spawner.started.map(({ closed }) => closed)).toEqual([true, true]);
  await expect(session()).rejects.toMatchObject({ code: 'channel_closed' });
});
