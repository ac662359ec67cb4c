/** A policy holds for what was opened before it: sessions, streams and sockets, at every instance. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EventLines } from '../support/event-lines.ts';
import { startFleet } from '../support/fleet.ts';
import type { Fleet } from '../support/fleet.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { ENVELOPE } from '../support/scripted-server.ts';
import { openSession, WAYS } from '../support/ways-in.ts';

const OPERATORS = { name: 'operators', who: { role: 'admin' }, allow: { admin: '*' } };
const EVERYONE = { name: 'everyone', allow: { servers: '*' } };
const CAREFUL = { name: 'ann is careful', who: { subject: 'ann' }, deny: { tools: 'delete' } };

let upstream: McpUpstream;
let fleet: Fleet;
/** Where the policy is changed, and where callers are. */
let here: TestGateway;
let there: TestGateway;
let ann: string;
let bob: string;

beforeEach(async () => {
  upstream = await startMcpUpstream({ extraTools: ['find', 'delete'] });
  fleet = await startFleet(2, { POSTERN_POLL_INTERVAL: '1' });
  const [one, other] = fleet.gateways;
  if (!one || !other) throw new Error('no fleet');
  [here, there] = [one, other];
  await here.register({ name: 'crm', url: upstream.url });
  await there.gateway.rotation.come();
  [ann, bob] = [await there.token('ann'), await there.token('bob')];
});
afterEach(async () => {
  await fleet.close();
  await upstream.close();
});

const apply = async (...rules: readonly object[]): Promise<void> => {
  expect((await here.api('PUT', '/v1/policy', { rules: [OPERATORS, EVERYONE, ...rules] })).status).toBe(200);
  await there.gateway.rotation.come();
};

/** A stream by GET in a session of its own, and a test of whether it has ended. */
async function openStream(path: string, token: string) {
  const address = `${there.url}${path}/mcp`;
  const session = await openSession(address, token);
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...session };
  const lines = new EventLines(await fetch(address, { headers }));
  return { session, lines };
}

test('an instance that did not write the policy takes it over by itself', async () => {
  await here.api('PUT', '/v1/policy', { rules: [OPERATORS] });
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  await expect.poll(async () => (await postMessage(`${there.url}/mcp`, ann, ping)).status, { timeout: 5000 }).toBe(403);
});

test.each(['', '/servers/crm'])('a session and its stream at %s/mcp', async (path) => {
  const prefix = path === '' ? 'crm_' : '';
  const { session, lines } = await openStream(path, ann);
  const call = async (name: string) => {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: prefix + name } };
    return (await postMessage(`${there.url}${path}/mcp`, ann, message, session)).text();
  };
  expect(await call('delete')).toContain('result');
  await apply(CAREFUL);
  if (path === '') await lines.next('tools/list_changed');
  await expect(lines.next('anything')).rejects.toThrow(/ended/);
  expect(await call('delete')).toContain(`nothing here is called ${prefix}delete`);
  expect(await call('find')).toContain('result');
});

test.each(['', '/servers/crm'])('a modern listener at %s/mcp', async (path) => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
  const params = { notifications: { toolsListChanged: true }, _meta: ENVELOPE };
  const listen = { jsonrpc: '2.0', id: 'l', method: 'subscriptions/listen', params };
  const lines = new EventLines(await postMessage(`${there.url}${path}/mcp`, ann, listen, headers));
  await lines.next('subscriptions/acknowledged');
  await apply(CAREFUL);
  if (path === '') await lines.next('tools/list_changed');
  await expect(lines.next('anything')).rejects.toThrow(/ended/);
});

test('a socket stays, and what it asks is decided anew', async () => {
  const way = await WAYS['websocket']?.(there.url, '/servers/crm', ann);
  expect((await way?.ask('tools/call', { name: 'delete' }))?.result).toBeDefined();
  await apply(CAREFUL);
  expect((await way?.ask('tools/call', { name: 'delete' }))?.error?.message).toMatch(/^nothing here/);
  await apply(CAREFUL, { name: 'out', who: { subject: 'ann' }, deny: { servers: 'crm' } });
  expect((await way?.ask('tools/call', { name: 'find' }))?.error?.data?.code).toBe('not_found');
  way?.close();
});

test('who is not concerned keeps the stream, and callers hear of what they can see only', async () => {
  // the other instance reads its listings anew at some moment, which is told as well
  there = here;
  await apply(CAREFUL);
  const [anns, bobs] = [await openStream('', ann), await openStream('', bob)];
  await apply({ ...CAREFUL, deny: { tools: ['delete', 'changed'] } });
  await expect(anns.lines.next('anything')).rejects.toThrow(/ended/);
  const streams = () => upstream.requests.filter(({ httpMethod }) => httpMethod === 'GET').length;
  const before = streams();
  const again = await openStream('', ann);
  await expect.poll(streams).toBe(before + 1);
  // one more tool, which is denied to ann
  await postMessage(`${there.url}/mcp`, bob, {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'crm_change_tools' },
  });
  await bobs.lines.next('tools/list_changed');
  await upstream.updateResource('test://text');
  // had she been told of the list, that would have come first
  expect(await again.lines.any()).toMatchObject({ method: 'notifications/resources/updated' });
});
