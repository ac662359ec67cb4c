import { expect, test } from 'vitest';
import { inputRequestOf, responseTo } from '../../../src/bridge/modern-to-legacy/open-questions.ts';

const question = (method: string, params?: Record<string, unknown>) =>
  ({ jsonrpc: '2.0', id: 1, method, ...(params && { params }) }) as const;

test('a question loses what only the legacy era has', () => {
  const params = { mode: 'url', url: 'https://a.example', elicitationId: 'e', task: {}, _meta: { progressToken: 1 } };
  expect(inputRequestOf(question('elicitation/create', params))).toEqual({
    method: 'elicitation/create',
    params: { mode: 'url', url: 'https://a.example' },
  });
  expect(inputRequestOf(question('roots/list'))).toEqual({ method: 'roots/list', params: {} });
  expect(inputRequestOf(question('roots/list', { _meta: { trace: 1 } }))).toMatchObject({
    params: { _meta: { trace: 1 } },
  });
});

test('an answer is a bare object under the key of its question', () => {
  expect(responseTo('q', { q: { action: 'accept' } })).toEqual({ action: 'accept' });
  for (const given of [{}, { q: 1 }, { q: null }, { q: [] }, { q: { result: {} } }, { q: { method: 'm' } }])
    expect(responseTo('q', given)).toBeUndefined();
  expect(responseTo('toString', {})).toBeUndefined();
});
