import { expect, test } from 'vitest';
import { modernHeadersOf } from '../../../src/http/mcp/pipe/modern-headers.ts';
import { decodeName } from '../../../src/wire/headers.ts';
import { call, ENVELOPE, initialize, notify } from '../../support/scripted-server.ts';
import type { JsonRpcMessage } from '../../../src/wire/json-rpc.ts';

const headersOf = (method: string, params: object) =>
  modernHeadersOf({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: ENVELOPE } });
const base = { 'mcp-protocol-version': '2026-07-28' };

test('a message of the legacy era, an answer and an envelope without a version get no headers', () => {
  const messages = [
    initialize,
    call(1),
    notify('notifications/initialized'),
    { jsonrpc: '2.0', id: 1, result: { _meta: ENVELOPE } },
    { ...call(1), params: { _meta: { progressToken: 1 } } },
    { ...call(1), params: { _meta: { 'io.modelcontextprotocol/protocolVersion': 7 } } },
  ] as JsonRpcMessage[];
  expect(messages.map(modernHeadersOf)).toEqual(messages.map(() => undefined));
});

test('what a modern message is about stands in its headers, and only where the specification has it', () => {
  expect(headersOf('tools/call', { name: 'echo' })).toEqual({
    ...base,
    'mcp-method': 'tools/call',
    'mcp-name': 'echo',
  });
  expect(headersOf('prompts/get', { name: 'greet' })).toMatchObject({ 'mcp-name': 'greet' });
  expect(headersOf('resources/read', { uri: 'test://text' })).toMatchObject({ 'mcp-name': 'test://text' });
  expect(headersOf('tasks/get', { taskId: 'task-1' })).toMatchObject({ 'mcp-name': 'task-1' });
  for (const method of ['tools/list', 'completion/complete', 'server/discover', 'subscriptions/listen'])
    expect(headersOf(method, { name: 'x', uri: 'y' })).toEqual({ ...base, 'mcp-method': method });
  expect(headersOf('tools/call', { name: 7 })).toEqual({ ...base, 'mcp-method': 'tools/call' });
});

test('a name no header can carry is encoded, and so is nonsense in the other two', () => {
  const name = ' naïve\r\nx-evil: 1';
  const headers = headersOf('tools/call', { name });
  expect(headers?.['mcp-name']).toMatch(/^=\?base64\?[\w+/=]+\?=$/);
  expect(decodeName(headers?.['mcp-name'] ?? '')).toBe(name);
  const nonsense = modernHeadersOf({
    jsonrpc: '2.0',
    id: 1,
    method: 'a\nb',
    params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026\r\nx: y' } },
  });
  for (const value of Object.values(nonsense ?? {})) expect(value).toMatch(/^[\x21-\x7e]+$/);
});
