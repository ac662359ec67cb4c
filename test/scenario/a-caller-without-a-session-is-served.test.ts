import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';

let upstream: McpUpstream;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  upstream = await startMcpUpstream({ era: 'legacy' });
  gateway = await startGateway();
  await gateway.register({ name: 'plain', url: upstream.url });
  token = await gateway.token('ann');
});

afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** The messages of an answer, plain JSON or a stream. */
async function messagesOf(response: Response): Promise<Record<string, unknown>[]> {
  const text = await response.text();
  if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
    return [JSON.parse(text) as Record<string, unknown>];
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as Record<string, unknown>] : []));
}

const call = (path: string, id: string | number, method: string, params?: object) =>
  postMessage(gateway.url + path, token, { jsonrpc: '2.0', id, method, ...(params && { params }) });

for (const [path, prefix] of [
  ['/servers/plain/mcp', ''],
  ['/mcp', 'plain_'],
  ['/mcp/', 'plain_'],
  ['/mcp/http', 'plain_'],
] as const) {
  test(`${path}: a bare request without any MCP header is answered`, async () => {
    const [list] = await messagesOf(await call(path, 1, 'tools/list'));
    expect(list).toMatchObject({
      id: 1,
      result: { tools: expect.arrayContaining([expect.objectContaining({ name: `${prefix}echo` })]) },
    });
    const answers = await messagesOf(
      await call(path, 'a', 'tools/call', { name: `${prefix}echo`, arguments: { text: 'x' } }),
    );
    expect(answers.at(-1)).toMatchObject({ id: 'a', result: { content: [{ text: 'x' }] } });
  });
}

test('callers that share the upstream session and choose the same ids get their own answers', async () => {
  const texts = Array.from({ length: 40 }, (_, index) => `text ${index}`);
  const answers = await Promise.all(
    texts.map(async (text) => {
      const [answer] = (
        await messagesOf(await call('/servers/plain/mcp', 1, 'tools/call', { name: 'echo', arguments: { text } }))
      ).slice(-1);
      return answer;
    }),
  );
  for (const [index, answer] of answers.entries())
    expect(answer).toMatchObject({ id: 1, result: { content: [{ text: texts[index] }] } });
  expect(upstream.requestsOf('initialize').length).toBeLessThanOrEqual(2);
});

test('progress comes under the token of the caller', async () => {
  const params = { name: 'progress', arguments: { steps: 2 }, _meta: { progressToken: 'mine' } };
  const messages = await messagesOf(await call('/servers/plain/mcp', 5, 'tools/call', params));
  const progress = messages.filter((message) => message['method'] === 'notifications/progress');
  expect(progress).toMatchObject([
    { params: { progressToken: 'mine', progress: 1 } },
    { params: { progressToken: 'mine', progress: 2 } },
  ]);
});

test('a shared session the upstream lost is opened again', async () => {
  await upstream.loseSessions();
  const answers = await Promise.all(
    [1, 2, 3].map(async (id) => (await messagesOf(await call('/servers/plain/mcp', id, 'tools/list'))).at(-1)),
  );
  for (const answer of answers) expect(answer).toHaveProperty('result.tools');
});

test('nothing that is no message is passed on', async () => {
  for (const [body, code] of [
    ['{', -32700],
    ['[]', -32600],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32600],
    ['', -32700],
  ] as const) {
    const answer = await postMessage(`${gateway.url}/mcp`, token, body);
    expect(answer.status, body).toBe(400);
    expect(await answer.json()).toMatchObject({ jsonrpc: '2.0', id: null, error: { code } });
  }
});

test('a request for another host, or from a page of one, is refused', async () => {
  for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }]) {
    const answer = await postMessage(`${gateway.url}/mcp`, token, { jsonrpc: '2.0', id: 1, method: 'ping' }, headers);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'host_not_allowed' });
  }
});

test('a page of this machine may ask and read', async () => {
  const origin = 'http://localhost:6274';
  const asked = await fetch(`${gateway.url}/mcp`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'mcp-param-x' },
  });
  expect(asked.status).toBe(204);
  expect(asked.headers.get('access-control-allow-headers')).toBe('mcp-param-x');
  const answer = await postMessage(`${gateway.url}/mcp`, token, { jsonrpc: '2.0', id: 1, method: 'ping' }, { origin });
  expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
});

test('no credential, no answer', async () => {
  const answer = await fetch(`${gateway.url}/mcp`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toContain('Bearer');
});
