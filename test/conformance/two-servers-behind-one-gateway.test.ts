/** The conformance suite through one gateway: at the address of all servers, and at that of one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REQUIRED_COUNT, examineServer, fullConformance } from '../support/conformance.ts';
import { startEverything } from '../support/everything/everything.ts';
import { SECOND_TEXT, startSecond } from '../support/everything/second.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';

let everything: FetchServer;
let second: FetchServer;
let gateway: TestGateway;
beforeAll(async () => {
  [everything, second] = await Promise.all([startEverything(), startSecond()]);
  // the suite carries no credentials
  gateway = await startGateway({ settings: { AUTH_REQUIRED: 'false' } });
  await gateway.register({ name: 'everything', url: everything.url, prefix: '' });
  await gateway.register({ name: 'second', url: second.url });
});
afterAll(() => Promise.all([gateway.close(), everything.close(), second.close()]));

const addressOf = (path: string) => gateway.url.replace('127.0.0.1', 'localhost') + path;

test.for([
  ['2025-11-25', '/mcp'],
  ['2026-07-28', '/mcp'],
  ['2025-11-25', '/servers/everything/mcp'],
  ['2026-07-28', '/servers/everything/mcp'],
] as const)('every scenario of %s passes at %s', async ([revision, path]) => {
  const findings = await examineServer(addressOf(path), revision);
  expect(findings).toEqual(await fullConformance(revision));
  expect(findings.passed).toHaveLength(REQUIRED_COUNT[revision]);
});

test.for(['legacy', 'modern'] as const)('a %s client reaches both tools of one name', async (era) => {
  const client = await connectClient(addressOf('/mcp'), 'none', era);
  try {
    const call = async (name: string) => textOf(await client.callTool({ name, arguments: {} }));
    expect(await call('second_test_simple_text')).toBe(SECOND_TEXT);
    expect(await call('test_simple_text')).toBe('This is a simple text response for testing.');
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names.filter((name) => name.endsWith('test_simple_text'))).toEqual([
      'test_simple_text',
      'second_test_simple_text',
    ]);
  } finally {
    await client.close();
  }
});
