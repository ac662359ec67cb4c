import { expect, test } from 'vitest';
import { withOwnIds } from '../../../src/http/mcp/legacy/own-ids.ts';
import type { ChannelResponse } from '../../../src/tls/dialer.ts';

const request = {
  jsonrpc: '2.0',
  id: 'caller-7',
  method: 'tools/call',
  params: { name: 'x', _meta: { progressToken: 'mine' } },
} as const;

function answered(contentType: string, body: string): ChannelResponse {
  const response = new Response(body, { headers: { 'content-type': contentType } });
  return {
    status: 200,
    headers: { 'content-type': contentType },
    text: () => response.text(),
    body: () => response.text(),
    stream: () => response.body ?? new ReadableStream(),
  };
}

test('a request travels under the id and token of the gateway', () => {
  expect(JSON.parse(withOwnIds(request, 42).text)).toEqual({
    ...request,
    id: 42,
    params: { name: 'x', _meta: { progressToken: 42 } },
  });
});

test('a JSON answer comes back under the id of the caller', async () => {
  const own = withOwnIds(request, 42);
  const text = await own.restore(answered('application/json', '{"jsonrpc":"2.0","id":42,"result":{"a":1}}')).text(1000);
  expect(JSON.parse(text)).toEqual({ jsonrpc: '2.0', id: 'caller-7', result: { a: 1 } });
});

test('a stream comes back with id and token of the caller, other events as they were', async () => {
  const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 42, progress: 1 } };
  const other = { jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x' } };
  const result = { jsonrpc: '2.0', id: 42, result: {} };
  const sent = [progress, other, result]
    .map((message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`)
    .join('');
  const stream = withOwnIds(request, 42).restore(answered('text/event-stream', sent)).stream();
  const received = (await new Response(stream).text())
    .split('\n')
    .flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []));
  expect(received).toEqual([
    { ...progress, params: { progressToken: 'mine', progress: 1 } },
    other,
    { ...result, id: 'caller-7' },
  ]);
});

test('what is nested too deep is not written again, which would take seconds', async () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  const own = withOwnIds(request, 42);
  const body = `{"jsonrpc":"2.0","id":42,"result":{"x":${deep}}}`;
  await expect(own.restore(answered('application/json', body)).text(1_000_000)).rejects.toMatchObject({
    code: 'upstream_protocol',
  });
  const passed = await new Response(own.restore(answered('text/event-stream', `data: ${body}\n\n`)).stream()).text();
  expect(passed).toContain(body);
});
