/** Arguments that are repeated in headers, for clients that have no headers. */
import { expect, test, vi } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { ENVELOPE, jsonAnswer, modernCall, openPipe, resultFor, scriptServer } from '../../support/scripted-server.ts';
import type { Asked } from '../../support/scripted-server.ts';

const LEFT = new GatewayError('call_cancelled', 'the client left');
const string = { type: 'string' };
const routed = {
  name: 'routed',
  inputSchema: {
    properties: {
      region: { ...string, 'x-mcp-header': 'Region' },
      nested: { properties: { count: { type: 'integer', 'x-mcp-header': 'Count' } } },
      plain: string,
    },
  },
};
const plain = { name: 'plain', inputSchema: { properties: { region: string } } };
const refusal = ({ message }: Asked) =>
  jsonAnswer({ jsonrpc: '2.0', id: message.id, error: { code: -32020, message: 'no', data: { code: 'x' } } }, 400);
const list = { jsonrpc: '2.0', id: 'list', method: 'tools/list', params: { _meta: ENVELOPE } };
const callWith = (id: number, args: object, name = 'routed') => {
  const { params, ...rest } = modernCall(id, name);
  return { ...rest, params: { ...params, _meta: { ...ENVELOPE, progressToken: 7 }, arguments: args } };
};
const paramsOf = ({ headers }: Asked) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('mcp-param-')));

test('after a listing passed by, calls repeat in headers what the tool marks', async () => {
  const server = scriptServer((asked) => jsonAnswer(resultFor(asked, { tools: [routed, plain, 7] })));
  const client = openPipe(server, new ManualClock());
  await client.say(list);
  await client.pipe.take('{"jsonrpc":"2.0","method":"notifications/nothing"}');
  await vi.waitFor(() => expect(client.received).toHaveLength(1));
  await client.say(callWith(1, { region: 'Zürich', nested: { count: 3 }, plain: 'x' }));
  await client.say(callWith(2, { region: null }));
  await client.say(callWith(3, { region: 'eu' }, 'plain'));
  await client.pipe.finish();
  expect(server.askedFor('tools/call').map(paramsOf)).toEqual([
    { 'mcp-param-region': '=?base64?WsO8cmljaA==?=', 'mcp-param-count': '3' },
    {},
    {},
  ]);
  await client.pipe.close(LEFT);
});

test('a call that is refused for want of them is sent again, once, after a listing of all pages', async () => {
  const server = scriptServer((asked) => {
    const { cursor } = (asked.message.params ?? {}) as { cursor?: string };
    if (asked.message.method === 'tools/list')
      return jsonAnswer(
        resultFor(asked, cursor === 'two' ? { tools: [routed] } : { tools: [plain], nextCursor: 'two' }),
      );
    return asked.headers['mcp-param-region'] === 'eu' ? jsonAnswer(resultFor(asked)) : refusal(asked);
  });
  const client = openPipe(server, new ManualClock());
  await client.say(callWith(1, { region: 'eu' }));
  await client.pipe.finish();
  expect(client.received).toMatchObject([{ id: 1, result: {} }]);
  expect(server.asked.map(({ message }) => message.method)).toEqual([
    'tools/call',
    'tools/list',
    'tools/list',
    'tools/call',
  ]);
  // the listing is the pipe's own: the client's progress is none of its business
  expect(server.askedFor('tools/list')[0]?.message.params).toEqual({ _meta: ENVELOPE });
  await client.pipe.close(LEFT);
});

test('a server that refuses again is quoted', async () => {
  const server = scriptServer((asked) =>
    asked.message.method === 'tools/list' ? jsonAnswer(resultFor(asked, { tools: [] })) : refusal(asked),
  );
  const client = openPipe(server, new ManualClock());
  await client.say(callWith(1, {}));
  await client.pipe.finish();
  expect(client.received).toMatchObject([{ id: 1, error: { code: -32020 } }]);
  expect(server.asked).toHaveLength(3);
  await client.pipe.close(LEFT);
});
