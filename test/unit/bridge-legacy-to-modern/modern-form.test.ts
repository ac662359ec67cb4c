import fc from 'fast-check';
import { expect, test } from 'vitest';
import { STATELESS_CLIENT } from '../../../src/bridge/legacy-to-modern/legacy-client.ts';
import { modernForm, retried } from '../../../src/bridge/legacy-to-modern/modern-form.ts';
import { envelopeProblem } from '../../../src/wire/envelope.ts';
import type { JsonRpcRequest } from '../../../src/wire/json-rpc.ts';

const request = (method: string, params?: object): JsonRpcRequest => ({
  jsonrpc: '2.0',
  id: 7,
  method,
  ...(params && { params: { ...params } }),
});
const paramsOf = ({ body }: { readonly body: string }) => (JSON.parse(body) as JsonRpcRequest).params;

test('the progress token and other meta of the caller stay; an envelope of its own does not', () => {
  const _meta = { progressToken: 0, 'com.example/x': 1, 'io.modelcontextprotocol/protocolVersion': '1999-01-01' };
  const form = modernForm(request('tools/call', { name: 'a', arguments: { b: 1 }, _meta }), STATELESS_CLIENT);
  expect(paramsOf(form)).toMatchObject({
    name: 'a',
    arguments: { b: 1 },
    _meta: {
      progressToken: 0,
      'com.example/x': 1,
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    },
  });
  expect(form.headers).toEqual({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'a',
  });
});

test.for([
  ['prompts/get', { name: 'p' }, 'p'],
  ['resources/read', { uri: 'test://ü' }, '=?base64?dGVzdDovL8O8?='],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' } }, undefined],
  ['tools/list', { cursor: '' }, undefined],
  ['tools/list', undefined, undefined],
  ['tools/call', {}, undefined],
] as const)('%s with %j names %s', ([method, params, name]) => {
  expect(modernForm(request(method, params), STATELESS_CLIENT).headers['mcp-name']).toBe(name);
});

test('whatever a caller sends, headers and body agree', () => {
  const method = fc.constantFrom('tools/call', 'prompts/get', 'resources/read', 'tools/list', 'ping');
  const params = fc.dictionary(fc.constantFrom('name', 'uri', 'cursor', '_meta'), fc.jsonValue());
  fc.assert(
    fc.property(method, params, (method, params) => {
      const { headers, body } = modernForm(request(method, params), STATELESS_CLIENT);
      expect(envelopeProblem(new Headers(headers), JSON.parse(body) as JsonRpcRequest)).toBeUndefined();
    }),
  );
});

test('a further round repeats the request under another id, with the answers and the state as it was', () => {
  const first = request('tools/call', { name: 'a', _meta: { progressToken: 'p' } });
  expect(retried(first, 2, { key: { action: 'accept' } }, 'st\u0000te')).toEqual({
    jsonrpc: '2.0',
    id: '7.2',
    method: 'tools/call',
    params: {
      name: 'a',
      _meta: { progressToken: 'p' },
      inputResponses: { key: { action: 'accept' } },
      requestState: 'st\u0000te',
    },
  });
  expect(retried(first, 1, undefined, undefined).params).toEqual(first.params);
});
