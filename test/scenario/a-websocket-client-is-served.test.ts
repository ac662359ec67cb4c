import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway, TestGatewayOptions } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { call, initialize, modernCall, notify } from '../support/scripted-server.ts';
import { connectV1, expectEverything, expectNotifications } from '../support/transport-client.ts';
import { openSocket, refusedSocket } from '../support/web-socket.ts';

let upstream: McpUpstream;
let gateway: TestGateway;
let token: string;
let authorized: { headers: { authorization: string } };

async function start(options: TestGatewayOptions = {}): Promise<void> {
  upstream = await startMcpUpstream();
  gateway = await startGateway(options);
  await gateway.register({ name: 'plain', url: upstream.url });
  await gateway.register({ name: 'other', url: upstream.url });
  token = await gateway.token('ann');
  authorized = { headers: { authorization: `Bearer ${token}` } };
}

async function stop(): Promise<void> {
  await gateway.close();
  await upstream.close();
}

async function restart(options: TestGatewayOptions): Promise<void> {
  await stop();
  await start(options);
}

beforeEach(() => start());
afterEach(async () => {
  vi.unstubAllGlobals();
  await stop();
});

const NativeSocket = globalThis.WebSocket;

/** What a page does, and the SDK does not: pass its token as a subprotocol. */
function passTokenAsSubprotocol(): void {
  const bearer = `bearer.${token}`;
  vi.stubGlobal(
    'WebSocket',
    class extends NativeSocket {
      constructor(url: string, protocol: string) {
        super(url, [protocol, bearer]);
      }
    },
  );
}

for (const [path, prefix] of [
  ['/servers/plain/ws', ''],
  ['/ws', 'plain_'],
] as const)
  test(`SDK v1 does over ${path} all that it does over Streamable HTTP, and leaves nothing`, async () => {
    passTokenAsSubprotocol();
    const before = upstream.sessions;
    const client = await connectV1(new WebSocketClientTransport(new URL(gateway.url.replace('http', 'ws') + path)));
    await expectEverything(client, upstream, prefix);
    await expectNotifications(client, upstream);
    await client.close();
    await upstream.untilSessions(before);
  });

test('where nobody has to say who they are, the SDK connects as it is', async () => {
  await restart({ settings: { AUTH_REQUIRED: 'false' } });
  const client = await connectV1(new WebSocketClientTransport(new URL(`${gateway.url.replace('http', 'ws')}/ws`)));
  expect(await client.call('plain_echo', { text: 'hello' })).toBe('hello');
  await client.close();
});

test('both eras share a connection, and the modern one needs no session', async () => {
  const before = upstream.sessions;
  const client = await openSocket(`${gateway.url}/servers/plain/ws`, authorized);
  client.say(modernCall(1));
  expect(await client.next()).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  client.say(initialize);
  client.say(notify('notifications/initialized'));
  client.say(call(2));
  expect(await client.next()).toMatchObject({ id: 'init', result: { protocolVersion: '2025-11-25' } });
  expect(await client.next()).toMatchObject({ id: 2, result: { content: [{ type: 'text' }] } });
  expect(upstream.sessions).toBe(before + 1);
  client.socket.close();
  await upstream.untilSessions(before);
});

test('the subprotocol is mcp or none, never the token', async () => {
  const url = `${gateway.url}/ws/`;
  const bearer = `bearer.${token}`;
  const agreed = async (options: object, protocols: string[]) => {
    const { socket } = await openSocket(url, options, protocols);
    socket.close();
    return socket.protocol;
  };
  expect(await agreed({}, ['mcp', bearer])).toBe('mcp');
  expect(await agreed({}, [bearer, 'mcp'])).toBe('mcp');
  expect(await agreed(authorized, ['mcp'])).toBe('mcp');
  expect(await agreed(authorized, [])).toBe('');
  await expect(agreed(authorized, ['chat'])).rejects.toThrow('no subprotocol');
});

test('an upgrade is refused with a status and problem details, before anything is opened', async () => {
  const ws = `${gateway.url}/ws`;
  const bearer = authorized.headers;
  const refusals = {
    'no credentials': await refusedSocket(ws),
    'a forged token': await refusedSocket(ws, {}, ['mcp', 'bearer.forged']),
    'an unknown server, unknown to whom': await refusedSocket(`${gateway.url}/servers/none/ws`),
    'an unknown server': await refusedSocket(`${gateway.url}/servers/none/ws`, authorized),
    'a foreign page': await refusedSocket(ws, { headers: { ...bearer, origin: 'https://evil.example' } }),
    'a foreign host': await refusedSocket(ws, { headers: { ...bearer, host: 'rebound.example' } }),
    'another address': await refusedSocket(`${gateway.url}/mcp`, authorized),
  };
  const seen = Object.entries(refusals).map(([name, { status, headers, body }]) => {
    const isProblem = headers['content-type'] === 'application/problem+json';
    return [name, status, isProblem ? (JSON.parse(body) as { code: string }).code : undefined];
  });
  expect(seen).toEqual([
    ['no credentials', 401, 'unauthenticated'],
    ['a forged token', 401, 'unauthenticated'],
    ['an unknown server, unknown to whom', 401, 'unauthenticated'],
    ['an unknown server', 404, 'not_found'],
    ['a foreign page', 403, 'host_not_allowed'],
    ['a foreign host', 403, 'host_not_allowed'],
    ['another address', 404, 'not_found'],
  ]);
  expect(refusals['no credentials'].headers['www-authenticate']).toBe('Bearer');
  const plain = await fetch(ws, authorized);
  expect([plain.status, await plain.json()]).toMatchObject([400, { code: 'request_invalid' }]);
});

test('an own page may connect', async () => {
  const { socket } = await openSocket(`${gateway.url}/ws`, { headers: { ...authorized.headers, origin: gateway.url } });
  socket.close();
});

test('a text that is no message is answered with an error without an id, and the connection stays', async () => {
  const client = await openSocket(`${gateway.url}/servers/plain/ws`, authorized);
  for (const text of ['{', '', '[]', '{"jsonrpc":"2.0"}']) client.say(text);
  const errors = [await client.next(), await client.next(), await client.next(), await client.next()];
  expect(errors.map(({ id, error }) => [id, (error as { code: number }).code])).toEqual([
    [null, -32700],
    [null, -32700],
    [null, -32600],
    [null, -32600],
  ]);
  client.say(modernCall(1));
  expect(await client.next()).toMatchObject({ id: 1, result: {} });
  client.socket.close();
});

test('a message may come in many fragments, cut inside a character', async () => {
  const client = await openSocket(`${gateway.url}/servers/plain/ws`, authorized);
  const message = modernCall(1);
  const params = { ...message.params, arguments: { text: 'naïve 😀' } };
  const bytes = Buffer.from(JSON.stringify({ ...message, params }));
  for (let at = 0; at < bytes.length; at++)
    client.socket.send(bytes.subarray(at, at + 1), { binary: false, fin: at === bytes.length - 1 });
  expect(await client.next()).toMatchObject({ id: 1, result: { content: [{ text: 'naïve 😀' }] } });
  client.socket.close();
});

test('frames that break the rules end the connection with the code for it', async () => {
  const url = `${gateway.url}/ws`;
  const binary = await openSocket(url, authorized);
  binary.socket.send(Buffer.from('{}'), { binary: true });
  expect((await binary.closed).code).toBe(1003);
  const garbled = await openSocket(url, authorized);
  garbled.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
  expect((await garbled.closed).code).toBe(1007);
  const large = await openSocket(url, authorized);
  large.socket.send('x'.repeat(16 * 1024 * 1024 + 1));
  expect((await large.closed).code).toBe(1009);
});

test('a token that expires ends the connection at the next message, which is answered', async () => {
  let aheadMs = 0;
  await restart({
    wrapPlatform: (platform) => {
      const { clock } = platform;
      const ahead = { nowMs: () => clock.nowMs() + aheadMs, monotonicMs: () => clock.monotonicMs() + aheadMs };
      return { ...platform, clock: { ...clock, ...ahead } };
    },
  });
  const client = await openSocket(`${gateway.url}/servers/plain/ws`, authorized);
  client.say(modernCall(1));
  expect(await client.next()).toMatchObject({ id: 1, result: {} });
  aheadMs = 3_601_000;
  client.say(modernCall(2));
  expect(await client.next()).toMatchObject({ id: 2, error: { data: { code: 'token_expired' } } });
  expect(await client.closed).toEqual({ code: 1008, reason: 'the token has expired' });
});

test('a stop lets calls finish, refuses new ones, and says goodbye with 1001', async () => {
  const client = await openSocket(`${gateway.url}/servers/plain/ws`, authorized);
  const idle = await openSocket(`${gateway.url}/ws`, authorized);
  client.say({ ...modernCall(1, 'hold') });
  await upstream.untilHeld(1);
  gateway.gateway.beginDrain();
  expect(await idle.closed).toEqual({ code: 1001, reason: 'the gateway is about to stop' });
  client.say(modernCall(2));
  expect(await client.next()).toMatchObject({ id: 2, error: { data: { code: 'shutting_down' } } });
  upstream.release();
  expect(await client.next()).toMatchObject({ id: 1, result: { content: [{ text: 'released' }] } });
  expect((await client.closed).code).toBe(1001);
  expect((await refusedSocket(`${gateway.url}/ws`, authorized)).status).toBe(503);
});

test('a client that is gone without a word is gone: its calls are cancelled, its session ended', async () => {
  const before = upstream.sessions;
  const client = await openSocket(`${gateway.url}/servers/plain/ws`, authorized);
  client.say(initialize);
  await client.next();
  expect(upstream.sessions).toBe(before + 1);
  client.say(call(1, 'hold'));
  await upstream.untilHeld(1);
  client.socket.terminate();
  await upstream.untilSessions(before);
  await expect.poll(() => upstream.held).toBe(0);
});
