import { expect, test } from 'vitest';
import { sendInside } from '../../../src/http/mcp/pipe/send-inside.ts';

const { signal } = new AbortController();

test('what the client came with goes along, but nothing of the one request it came with', async () => {
  let seen: Request | undefined;
  const client = new Request('http://gateway.example/servers/x/messages?sessionId=1', {
    method: 'POST',
    body: 'its own body',
    headers: {
      authorization: 'Bearer token',
      traceparent: '00-1-2-01',
      'content-type': 'text/plain',
      'content-length': '12',
      'mcp-session-id': 'stale',
      'mcp-protocol-version': '2026-07-28',
      'mcp-name': 'other',
      'mcp-param-region': 'eu',
      'last-event-id': '7',
    },
  });
  const connection = { address: '127.0.0.1', chain: [] };
  const send = sendInside(
    async ({ request, connection: over }) => {
      seen = request;
      expect(over).toBe(connection);
      return new Response('taken', { status: 202, headers: { 'mcp-session-id': 'new' } });
    },
    () => undefined,
    () => ({ request: client, connection }),
  );
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const answer = await send({ method: 'POST', headers, body: '{}', signal });
  expect(Object.fromEntries(seen?.headers ?? [])).toEqual({
    authorization: 'Bearer token',
    traceparent: '00-1-2-01',
    ...headers,
  });
  expect([seen?.method, await seen?.text()]).toEqual(['POST', '{}']);
  expect([answer.status, answer.headers['mcp-session-id'], await answer.text(100)]).toEqual([202, 'new', 'taken']);
});

test('an answer is read no further than it may be long', async () => {
  const send = sendInside(
    async () => new Response('x'.repeat(101)),
    () => undefined,
    () => ({ request: new Request('http://gateway.example/ws') }),
  );
  const answer = await send({ method: 'GET', headers: {}, signal });
  await expect(answer.text(100)).rejects.toMatchObject({ code: 'upstream_too_large' });
});
