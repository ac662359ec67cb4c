import { expect, test } from 'vitest';
import { legacyAnswer } from '../../../src/bridge/legacy-to-modern/legacy-answer.ts';
import type { JsonRpcRequest } from '../../../src/wire/json-rpc.ts';

const request = (method: string, params = {}): JsonRpcRequest => ({ jsonrpc: '2.0', id: 'mine', method, params });
const resultOf = (method: string, result: object) => {
  const answer = legacyAnswer(request(method), { jsonrpc: '2.0', id: 1, result: { ...result } });
  expect(answer).toMatchObject({ jsonrpc: '2.0', id: 'mine' });
  return 'result' in answer ? answer.result : answer.error;
};
const serverInfo = { 'io.modelcontextprotocol/serverInfo': { name: 's', version: '1' } };
const errorOf = (method: string, params: object, code: number) =>
  legacyAnswer(request(method, params), { jsonrpc: '2.0', id: null, error: { code, message: 'no', data: { a: 1 } } });

test('what only the modern era says is left out, the rest stays', () => {
  const hints = { resultType: 'complete', ttlMs: 1, cacheScope: 'public', _meta: serverInfo };
  expect(resultOf('prompts/list', { ...hints, prompts: [], nextCursor: '' })).toEqual({ prompts: [], nextCursor: '' });
  expect(resultOf('resources/read', { ...hints, contents: [], _meta: { ...serverInfo, x: 1 } })).toEqual({
    contents: [],
    _meta: { x: 1 },
  });
  // not ours to judge where no caching was promised
  expect(resultOf('tools/call', { content: [], resultType: 'complete', ttlMs: 5 })).toEqual({ content: [], ttlMs: 5 });
  expect(resultOf('prompts/get', { messages: [] })).toEqual({ messages: [] });
});

test('an output schema that is no object costs the tool its schema, not the client its listing', () => {
  const object = { name: 'a', outputSchema: { type: 'object' }, x: 1 };
  const tools = [object, { name: 'b', outputSchema: { type: 'array' }, x: 1 }, { name: 'c', outputSchema: true }, 'd'];
  expect(resultOf('tools/list', { tools })).toEqual({ tools: [object, { name: 'b', x: 1 }, { name: 'c' }, 'd'] });
  expect(resultOf('tools/list', { tools: 'none' })).toEqual({ tools: 'none' });
});

test.for([[[1, 2]], ['text'], [null], [0]])('structured content %j is put into an object', ([structuredContent]) => {
  expect(resultOf('tools/call', { content: [], structuredContent })).toEqual({
    content: [],
    structuredContent: { result: structuredContent },
  });
  expect(resultOf('tools/call', { structuredContent: { a: 1 } })).toEqual({ structuredContent: { a: 1 } });
});

test('a result of a type nobody asked for is an error, not a success', () => {
  expect(resultOf('tools/call', { resultType: 'task', taskId: '1' })).toMatchObject({ code: -32603 });
});

test('errors keep their number, but for the one that changed', () => {
  const uri = 'test://none';
  expect(errorOf('resources/read', { uri }, -32602)).toMatchObject({
    id: 'mine',
    error: { code: -32002, data: { a: 1 } },
  });
  expect(errorOf('resources/read', {}, -32602)).toMatchObject({ error: { code: -32602 } });
  expect(errorOf('tools/call', { uri }, -32602)).toMatchObject({ error: { code: -32602 } });
  expect(errorOf('resources/read', { uri }, -32603)).toMatchObject({ error: { code: -32603 } });
});
