import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMessage } from '../../../src/wire/json-rpc.ts';
import type { JsonRpcRequest } from '../../../src/wire/json-rpc.ts';
import { ownQuestion, sharedQuestion } from '../../../src/upstream/stdio/stdio-question.ts';

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const id = fc.oneof(fc.string(), fc.integer());
const token = fc.oneof(fc.string(), fc.integer());

const restoredBy = (question: ReturnType<typeof sharedQuestion>, message: object): unknown => {
  const line = JSON.stringify(message);
  return JSON.parse(question.restore(parseMessage(line), line));
};

test('a shared request travels under an id and a token of ours; what comes back has those of its caller', () => {
  fc.assert(
    fc.property(id, token, fc.jsonValue(), (callerId, callerToken, value) => {
      const params = { value, _meta: { progressToken: callerToken, other: value } };
      const request: JsonRpcRequest = { jsonrpc: '2.0', id: callerId, method: 'tools/call', params };
      const question = sharedQuestion(request, 4711);
      const sent = JSON.parse(JSON.stringify({ ...request, id: 4711 })) as { params: { _meta: object } };
      sent.params._meta = { ...sent.params._meta, progressToken: 4711 };
      expect(JSON.parse(question.text)).toEqual(sent);
      const answer = { jsonrpc: '2.0', id: 4711, result: { value } };
      expect(restoredBy(question, answer)).toEqual(JSON.parse(JSON.stringify({ ...answer, id: callerId })));
      const progress = {
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: 4711, progress: 1 },
      };
      expect(restoredBy(question, progress)).toMatchObject({ params: { progressToken: callerToken } });
      const heard = { jsonrpc: '2.0', method: 'notifications/x', params: { _meta: { [SUBSCRIPTION]: 4711 } } };
      expect(restoredBy(question, heard)).toMatchObject({ params: { _meta: { [SUBSCRIPTION]: callerId } } });
    }),
  );
});

test('a request without a token asks for no progress', () => {
  const question = sharedQuestion({ jsonrpc: '2.0', id: 'a', method: 'ping' }, 1);
  expect(question).toMatchObject({ progressToken: undefined, text: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
});

test.each([
  [-32601, 404],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
  [-32603, 200],
])('error %d has the status it has over HTTP', (code, status) => {
  const answer = { jsonrpc: '2.0', id: 1, error: { code, message: 'm' } } as const;
  expect(sharedQuestion({ jsonrpc: '2.0', id: 1, method: 'x' }, 1).statusOf(answer)).toBe(status);
  expect(ownQuestion({ jsonrpc: '2.0', id: 1, method: 'x' }, '').statusOf(answer)).toBe(200);
});
