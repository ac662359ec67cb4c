import { afterAll, beforeAll, expect, test } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/client';
import { grantUpkeep } from '../../src/policy/grant.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';

let upstream: McpUpstream;
let fields: Readonly<Record<string, unknown>>;
let folder: string;

beforeAll(async () => {
  const pki = await mintPki();
  const ca = await pki.ca('Strict CA');
  const server = await ca.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' });
  const client = await ca.issue({ cn: 'postern-client', eku: 'client' });
  upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true },
  });
  const url = upstream.url.replace('127.0.0.1', 'localhost');
  fields = { name: 'strict', url, ca_certificate: ca.pem, client_cert: client.certPem, client_key: client.keyPem };
  folder = await mkdtemp(join(tmpdir(), 'postern-'));
});

afterAll(async () => {
  await upstream.close();
  await rm(folder, { recursive: true });
});

async function useEverything(client: Client): Promise<void> {
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
  expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'hello' } }))).toBe('hello');
  expect((await client.readResource({ uri: 'test://text' })).contents[0]).toMatchObject({ text: 'static text' });
  expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
  expect((await client.getPrompt({ name: 'greet', arguments: { who: 'Ann' } })).messages).toHaveLength(1);
  const argument = { name: 'who', value: 'par' };
  const completion = await client.complete({ ref: { type: 'ref/prompt', name: 'greet' }, argument });
  expect(completion.completion.values).toContain('paris');
}

const arrived = (methods: readonly string[]): void => {
  for (const method of methods) expect(upstream.requestsOf(method), method).not.toHaveLength(0);
  expect(new Set(upstream.requests.map(({ clientSubject }) => clientSubject))).toEqual(new Set(['postern-client']));
};

async function callEverything(gateway: TestGateway): Promise<void> {
  const token = await gateway.token('ann');
  const legacy = await connectClient(`${gateway.url}/servers/strict/mcp`, token, 'legacy');
  await legacy.ping();
  await useEverything(legacy);
  await legacy.close();
  const modern = await connectClient(`${gateway.url}/servers/strict/mcp`, token, 'modern');
  await useEverything(modern);
  await modern.close();
}

test('registration, every method in both eras, refresh, activation, health and check, also after a restart', async () => {
  const settings = { POSTERN_STORAGE: `sqlite:${join(folder, 'postern.db')}` };
  const keys = makeKeys();
  const first = await startGateway({ settings, keys });
  await first.register(fields);
  arrived(['initialize', 'server/discover', 'tools/list']);

  upstream.requests.length = 0;
  await callEverything(first);
  arrived(['initialize', 'ping', 'tools/list', 'tools/call', 'resources/read', 'prompts/get', 'completion/complete']);

  for (const [path, methods] of [
    ['refresh', ['tools/list', 'resources/list', 'prompts/list']],
    ['tools/refresh', ['tools/list']],
    ['state?activate=false', undefined],
    ['state?activate=true', ['tools/list']],
  ] as const) {
    upstream.requests.length = 0;
    const answer = await first.api('POST', `/v1/gateways/strict/${path}`);
    expect(answer.status, path).toBe(200);
    if (methods) arrived(methods);
  }
  const report = await first.api('POST', '/v1/gateways/strict/check');
  expect(await report.json()).toMatchObject({ ok: true, presented: { subject: 'CN=postern-client' } });
  upstream.requests.length = 0;
  await first.gateway.registry.snapshot().bySlug('strict')?.upstream.probe(grantUpkeep('test'));
  arrived(['server/discover']);
  await first.close();

  upstream.requests.length = 0;
  const second = await startGateway({ settings, keys });
  await callEverything(second);
  arrived(['initialize', 'tools/call', 'resources/read', 'prompts/get']);
  await second.close();
});
