import { expect, test } from 'vitest';
import { askingCapabilities, mayBeAsked } from '../../../src/bridge/asking-capabilities.ts';

const question = (method: string, params?: Record<string, unknown>) =>
  ({ jsonrpc: '2.0', id: 1, method, ...(params && { params }) }) as const;

test('of what a client declares only what a server may ask of it counts, always in the same form', () => {
  const declared = { roots: { listChanged: true }, extensions: { x: {} }, elicitation: { url: {}, form: {}, more: 1 } };
  expect(JSON.stringify(askingCapabilities(declared))).toBe('{"elicitation":{"form":{},"url":{}},"roots":{}}');
  expect(askingCapabilities({ sampling: { tools: {} } })).toEqual({ sampling: { tools: {} } });
  for (const nothing of [undefined, null, [], 'sampling', {}, { elicitation: true, toString: {} }])
    expect(askingCapabilities(nothing)).toEqual({});
});

test('a client is asked what it declared, and sent to an address only when it said so', () => {
  const all = askingCapabilities({ elicitation: {}, sampling: {}, roots: {} });
  for (const method of ['elicitation/create', 'sampling/createMessage', 'roots/list']) {
    expect(mayBeAsked(all, question(method))).toBe(true);
    expect(mayBeAsked({}, question(method))).toBe(false);
  }
  expect(mayBeAsked(all, question('tasks/get'))).toBe(false);
  const visit = question('elicitation/create', { mode: 'url' });
  expect(mayBeAsked(all, visit)).toBe(false);
  expect(mayBeAsked(askingCapabilities({ elicitation: { url: {} } }), visit)).toBe(true);
});
