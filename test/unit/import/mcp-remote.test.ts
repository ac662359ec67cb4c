import { expect, test } from 'vitest';
import { unwrapMcpRemote } from '../../../src/import/mcp-remote.ts';

const URL_TEXT = 'https://mcp.example.com/mcp';

test.each([
  ['npx', ['mcp-remote', URL_TEXT]],
  ['npx', ['-y', 'mcp-remote', URL_TEXT]],
  ['npx', ['--yes', 'mcp-remote@latest', URL_TEXT]],
  ['npx', ['-y', '--registry', 'https://npm.example.com', 'mcp-remote@0.1.37', URL_TEXT]],
  ['/usr/local/bin/npx', ['mcp-remote', URL_TEXT, '3334']],
  ['C:\\Program Files\\nodejs\\npx.cmd', ['mcp-remote', URL_TEXT]],
  ['bunx', ['mcp-remote', URL_TEXT]],
  ['bun', ['x', 'mcp-remote', URL_TEXT]],
  ['pnpm', ['dlx', 'mcp-remote@latest', URL_TEXT]],
  ['yarn', ['dlx', 'mcp-remote', URL_TEXT]],
  ['npm', ['exec', '--', 'mcp-remote', URL_TEXT]],
  ['deno', ['run', '-A', 'npm:mcp-remote', URL_TEXT]],
  ['cmd', ['/c', 'npx', '-y', 'mcp-remote', URL_TEXT]],
  ['cmd.exe', ['/C', 'npx.cmd', 'mcp-remote', URL_TEXT]],
  ['mcp-remote', [URL_TEXT]],
])('%s %j is a bridge', (command, args) => {
  expect(unwrapMcpRemote(command, args)).toEqual({
    url: URL_TEXT,
    headers: [],
    transport: undefined,
    oauthFlags: [],
    leftOut: [],
  });
});

test.each([
  ['npx', ['-y', '@modelcontextprotocol/server-github']],
  ['npx', ['-y', 'mcp-remote-helper', URL_TEXT]],
  ['npx', ['-p', 'mcp-remote@latest', 'mcp-remote-client', URL_TEXT]],
  ['npx', ['mcp-remote']],
  ['npx', []],
  ['pnpm', ['install', 'mcp-remote', URL_TEXT]],
  ['cmd', ['npx', 'mcp-remote', URL_TEXT]],
  ['node', ['mcp-remote', URL_TEXT]],
  ['constructor', ['mcp-remote', URL_TEXT]],
  ['', []],
])('%s %j is none', (command, args) => {
  expect(unwrapMcpRemote(command, args)).toBeUndefined();
});

test('its flags are understood', () => {
  const flags = ['--header', 'X-A: 1', '--header=X-B: 2', '--transport', 'sse-only', '--allow-http', '--debug'];
  const others = ['--host', '127.0.0.1', '--resource', 'https://r', '--ignore-tool', 'rm*', '--enable-proxy'];
  const oauth = ['--static-oauth-client-info', '{"client_id":"x"}'];
  expect(unwrapMcpRemote('npx', ['mcp-remote', ...flags, ...others, ...oauth, URL_TEXT, '9696'])).toEqual({
    url: URL_TEXT,
    headers: ['X-A: 1', 'X-B: 2'],
    transport: 'SSE',
    oauthFlags: ['--static-oauth-client-info'],
    leftOut: ['--resource', '--ignore-tool', '--enable-proxy'],
  });
  expect(unwrapMcpRemote('npx', ['mcp-remote', URL_TEXT, '--transport', 'http-only'])?.transport).toBe(
    'STREAMABLEHTTP',
  );
  expect(unwrapMcpRemote('npx', ['mcp-remote', URL_TEXT, '--transport', 'http-first'])?.transport).toBeUndefined();
});
