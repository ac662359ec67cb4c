import { expect, test } from 'vitest';
import { envelopeProblem } from '../../../src/wire/envelope.ts';
import type { JsonRpcRequest } from '../../../src/wire/json-rpc.ts';

const VERSION = '2026-07-28';
const META = { 'io.modelcontextprotocol/protocolVersion': VERSION, 'io.modelcontextprotocol/clientCapabilities': {} };
const HEADERS = { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'echo' };
const problemOf = (headers: Record<string, string>, sent: JsonRpcRequest) =>
  envelopeProblem(new Headers(headers), sent);
const request = (params: object = {}, method = 'tools/call') =>
  ({ jsonrpc: '2.0', id: 1, method, params: { name: 'echo', _meta: META, ...params } }) as const;

test('a request whose headers say what its body says is fine', () => {
  expect(problemOf(HEADERS, request())).toBeUndefined();
  const encoded = { ...HEADERS, 'mcp-name': '=?base64?w7xiZXI=?=' };
  expect(problemOf(encoded, request({ name: 'über' }))).toBeUndefined();
  const { 'mcp-name': _name, ...unnamed } = { ...HEADERS, 'mcp-method': 'completion/complete' };
  expect(problemOf(unnamed, request({}, 'completion/complete'))).toBeUndefined();
  expect(_name).toBe('echo');
});

test.each([
  ['no envelope', HEADERS, { _meta: {} }, -32602],
  [
    'an envelope of other shapes',
    HEADERS,
    { _meta: { ...META, 'io.modelcontextprotocol/clientCapabilities': 'all' } },
    -32602,
  ],
  ['another version', HEADERS, { _meta: { ...META, 'io.modelcontextprotocol/protocolVersion': '2027-01-01' } }, -32020],
  ['another method', { ...HEADERS, 'mcp-method': 'ping' }, {}, -32020],
  ['another name', { ...HEADERS, 'mcp-name': 'add' }, {}, -32020],
  ['no name', { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call' }, {}, -32020],
] as const)('%s is refused', (_what, headers, params, code) => {
  expect(problemOf(headers, request(params))).toMatchObject({ code });
});

test('a version nobody speaks is told what is spoken', () => {
  const meta = { ...META, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
  const headers = { ...HEADERS, 'mcp-protocol-version': '2099-01-01' };
  expect(problemOf(headers, request({ _meta: meta }))).toMatchObject({
    code: -32022,
    data: { supported: [VERSION], requested: '2099-01-01' },
  });
});
