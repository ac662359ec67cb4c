import { afterEach, expect, test } from 'vitest';
import { sseEvents } from '../../../src/wire/sse.ts';
import type { ChannelResponse } from '../../../src/tls/dialer.ts';
import { startMcpUpstream, type McpUpstream } from '../../support/mcp-upstream.ts';
import { dialUpstream, TEST_GRANT, type DialledUpstream } from '../../support/upstream.ts';

type Message = Readonly<Record<string, unknown>> & { readonly params?: Readonly<Record<string, unknown>> };

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).toReversed()) await thing.close();
});

async function start(intercept?: McpUpstream['intercept']) {
  const server = await startMcpUpstream({ transport: 'sse' });
  server.intercept = intercept;
  const dialled = dialUpstream({ url: new URL(server.url), transport: 'sse' });
  open.push(server, dialled);
  return { server, dialled };
}

const send = (
  { upstream }: DialledUpstream,
  message: { readonly method?: string } | undefined,
  {
    sessionId,
    httpMethod = 'POST',
    signal,
  }: { sessionId?: string; httpMethod?: 'POST' | 'GET' | 'DELETE'; signal?: AbortSignal } = {},
): Promise<ChannelResponse> =>
  upstream.send(TEST_GRANT, {
    method: httpMethod,
    headers: {
      accept: 'application/json, text/event-stream',
      ...(message && { 'content-type': 'application/json' }),
      ...(sessionId !== undefined && { 'mcp-session-id': sessionId }),
      'mcp-protocol-version': '2025-11-25',
    },
    ...(message && { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
    ...(signal && { signal }),
    mcpMethod: message?.method ?? httpMethod,
  });

async function* messagesOf(response: ChannelResponse): AsyncGenerator<Message> {
  for await (const { data } of sseEvents(response.stream())) if (data !== undefined) yield JSON.parse(data) as Message;
}

async function all(response: ChannelResponse): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of messagesOf(response)) messages.push(message);
  return messages;
}

const initializeParams = {
  protocolVersion: '2025-11-25',
  capabilities: { sampling: {} },
  clientInfo: { name: 't', version: '1' },
};

async function openSession(dialled: DialledUpstream): Promise<string> {
  const response = await send(dialled, { method: 'initialize', id: 0, params: initializeParams } as object);
  const [answer] = await all(response);
  expect(answer).toMatchObject({ id: 0, result: { serverInfo: { name: 'fixture' } } });
  const sessionId = response.headers['mcp-session-id'] ?? '';
  expect((await send(dialled, { method: 'notifications/initialized' }, { sessionId })).status).toBe(202);
  return sessionId;
}

const call = (id: number | string, name: string, args: object = {}, meta?: object) =>
  ({ method: 'tools/call', id, params: { name, arguments: args, ...(meta && { _meta: meta }) } }) as object;

test('a round trip: initialize names a session, answers come as event streams', async () => {
  const { server, dialled } = await start();
  const sessionId = await openSession(dialled);
  const response = await send(dialled, call(1, 'add', { a: 2, b: 3 }), { sessionId });
  expect(response).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream' } });
  expect(await all(response)).toEqual([
    expect.objectContaining({ id: 1, result: { content: [{ type: 'text', text: '5' }] } }),
  ]);
  expect(server.requests.every(({ headers }) => headers['mcp-session-id'] === undefined)).toBe(true);
});

test('progress goes to the request whose token it carries', async () => {
  const { server, dialled } = await start();
  const sessionId = await openSession(dialled);
  const held = await send(dialled, call('held', 'hold', {}, { progressToken: 'other' }), { sessionId });
  await server.untilHeld(1);
  const busy = await all(
    await send(dialled, call(2, 'progress', { steps: 2 }, { progressToken: 'mine' }), { sessionId }),
  );
  expect(busy.map(({ params, id }) => params?.['progress'] ?? id)).toEqual([1, 2, 2]);
  server.release();
  expect(await all(held)).toEqual([expect.objectContaining({ id: 'held' })]);
});

test('the server asks on the stream of the call, and the answer finds its way back', async () => {
  const { dialled } = await start();
  const sessionId = await openSession(dialled);
  const messages = messagesOf(await send(dialled, call(3, 'sample', { prompt: 'hello' }), { sessionId }));
  const { value: asked } = await messages.next();
  expect(asked).toMatchObject({ method: 'sampling/createMessage' });
  const result = { model: 'm', role: 'assistant', content: { type: 'text', text: 'hi' } };
  expect((await send(dialled, { id: asked.id, result } as object, { sessionId })).status).toBe(202);
  expect((await messages.next()).value).toMatchObject({ id: 3, result: { content: [{ text: 'sampled: hi' }] } });
});

test('in the session of many callers what names no request reaches none of them', async () => {
  const { dialled } = await start();
  const shared = await dialled.upstream.sharedSession(TEST_GRANT);
  const sessionId = shared.headers['mcp-session-id'] ?? '';
  const heard = await all(await send(dialled, call(shared.nextId(), 'log', { message: 'private' }), { sessionId }));
  expect(heard.map(({ method, result }) => method ?? typeof result)).toEqual(['object']);
  const asked = await all(await send(dialled, call(shared.nextId(), 'sample', { prompt: 'hello' }), { sessionId }));
  expect(asked.filter(({ method }) => method !== undefined)).toEqual([]);
});

test('what belongs to no request goes to the GET stream, of which there is one', async () => {
  const { server, dialled } = await start();
  const sessionId = await openSession(dialled);
  const listening = messagesOf(await send(dialled, undefined, { sessionId, httpMethod: 'GET' }));
  expect((await send(dialled, undefined, { sessionId, httpMethod: 'GET' })).status).toBe(409);
  const held = await send(dialled, call(4, 'hold'), { sessionId });
  await server.untilHeld(1);
  await server.updateResource('test://text');
  expect((await listening.next()).value).toMatchObject({ method: 'notifications/resources/updated' });
  server.release();
  expect(await all(held)).toEqual([expect.objectContaining({ id: 4 })]);
});

test('a ping nobody listens to is answered here', async () => {
  const { server, dialled } = await start();
  await openSession(dialled);
  await server.pingSessions();
  expect(server.requests.at(-1)).toMatchObject({ httpMethod: 'POST', rpcMethod: undefined });
});

test('a request that is given up is let go, and its late answer is nobody else’s', async () => {
  const { server, dialled } = await start();
  const sessionId = await openSession(dialled);
  const caller = new AbortController();
  const given = await send(dialled, call(5, 'hold'), { sessionId, signal: caller.signal });
  await server.untilHeld(1);
  caller.abort();
  await expect(all(given)).rejects.toMatchObject({ code: 'call_cancelled' });
  server.release();
  expect(await all(await send(dialled, call(6, 'echo', { text: 'next' }), { sessionId }))).toEqual([
    expect.objectContaining({ id: 6, result: { content: [{ type: 'text', text: 'next' }] } }),
  ]);
});

test('two requests with one id in flight are not told apart, so the second is refused', async () => {
  const { server, dialled } = await start();
  const sessionId = await openSession(dialled);
  const first = await send(dialled, call(6, 'hold'), { sessionId });
  await expect(send(dialled, call(6, 'echo'), { sessionId })).rejects.toMatchObject({ code: 'request_invalid' });
  await server.untilHeld(1);
  server.release();
  await all(first);
});

test('DELETE ends the session; a session that is not ours is not found, a missing one is asked for', async () => {
  const { server, dialled } = await start();
  const sessionId = await openSession(dialled);
  expect((await send(dialled, undefined, { sessionId, httpMethod: 'DELETE' })).status).toBe(200);
  expect((await send(dialled, call(7, 'echo'), { sessionId })).status).toBe(404);
  expect((await send(dialled, call(7, 'echo'))).status).toBe(400);
  await server.untilSessions(0);
});

test('a lost stream fails its calls, and its session is not found any more', async () => {
  const { server, dialled } = await start();
  const sessionId = await openSession(dialled);
  const held = await send(dialled, call(8, 'hold'), { sessionId });
  await server.untilHeld(1);
  server.dropConnections();
  await expect(all(held)).rejects.toMatchObject({ code: 'connection_lost' });
  expect((await send(dialled, call(9, 'echo'), { sessionId })).status).toBe(404);
});

test('the gateway’s own session is opened again when its stream was lost', async () => {
  const { server, dialled } = await start();
  await dialled.upstream.connect(TEST_GRANT);
  const held = dialled.upstream.call(TEST_GRANT, 'tools/call', { name: 'hold', arguments: {} });
  await server.untilHeld(1);
  await server.loseSessions();
  await expect(held).rejects.toMatchObject({ code: 'connection_lost' });
  const message = await dialled.upstream.call(TEST_GRANT, 'tools/call', { name: 'echo', arguments: { text: 'x' } });
  expect(message).toMatchObject({ result: { content: [{ text: 'x' }] } });
  expect(server.requestsOf('initialize')).toHaveLength(2);
  expect(dialled.eventsOf('upstream.session_renewed')).toEqual([{ gateway: 'up' }]);
});

test('an endpoint at another origin is refused: our credentials are for this one', async () => {
  const { dialled } = await start(({ httpMethod }) =>
    httpMethod === 'GET'
      ? new Response('event: endpoint\ndata: https://elsewhere.test/messages\n\n', {
          headers: { 'content-type': 'text/event-stream' },
        })
      : undefined,
  );
  await expect(dialled.upstream.connect(TEST_GRANT)).rejects.toMatchObject({
    code: 'upstream_protocol',
    message: expect.stringContaining('another origin'),
  });
});

test('a refused stream passes its status on', async () => {
  const { dialled } = await start(() => new Response('no', { status: 401 }));
  const response = await send(dialled, { method: 'initialize', id: 0, params: initializeParams } as object);
  expect(response.status).toBe(401);
  await expect(dialled.upstream.connect(TEST_GRANT)).rejects.toMatchObject({ code: 'upstream_auth_refused' });
});

const INITIALIZE = { method: 'initialize', id: 0, params: initializeParams } as object;

/** Holds requests of one HTTP method back for good, and says when the first came. */
function holding(httpMethod: string) {
  const met = Promise.withResolvers<void>();
  const intercept: McpUpstream['intercept'] = (request) => {
    if (request.httpMethod !== httpMethod) return undefined;
    met.resolve();
    return new Promise(() => undefined);
  };
  return { met: met.promise, intercept };
}

test('a caller who gives up during initialize leaves no stream open', async () => {
  const { met, intercept } = holding('POST');
  const { server, dialled } = await start(intercept);
  const caller = new AbortController();
  const answer = send(dialled, INITIALIZE, { signal: caller.signal });
  await met;
  expect(server.sessions).toBe(1);
  caller.abort();
  await expect(answer).rejects.toMatchObject({ code: 'call_cancelled' });
  await expect.poll(() => server.sessions).toBe(0);
});

test('closing the upstream ends a stream that is being opened', async () => {
  const { met, intercept } = holding('GET');
  const { dialled } = await start(intercept);
  const answer = send(dialled, INITIALIZE);
  answer.catch(() => undefined);
  await met;
  await dialled.upstream.close(0);
  await expect(answer).rejects.toMatchObject({ code: 'drain_timeout' });
});
