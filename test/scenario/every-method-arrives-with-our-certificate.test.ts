import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '@modelcontextprotocol/client';
import { grantUpkeep } from '../../src/policy/grant.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate, TestPki } from '../support/pki.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

let upstream: McpUpstream;
let pki: TestPki;
let ca: MintedCa;
let client: MintedCertificate;
let folder: TempFolder;
const builtIn = getCACertificates('default');

beforeAll(async () => {
  pki = await mintPki();
  ca = await pki.ca('Strict CA');
  const server = await ca.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' });
  const clientCa = await pki.ca('Client CA');
  client = await clientCa.issue({ cn: 'postern-client', eku: 'client' });
  upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: clientCa.pem, requireClientCertificate: true },
  });
});
beforeEach(async () => {
  folder = await makeTempFolder();
});
afterEach(async () => {
  setDefaultCACertificates(builtIn);
  await folder.remove();
});
afterAll(() => upstream.close());

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

/** What operators do with a gateway, and what happens by itself. */
async function manageEverything(gateway: TestGateway): Promise<void> {
  for (const [path, methods] of [
    ['refresh', ['tools/list', 'resources/list', 'prompts/list']],
    ['tools/refresh', ['tools/list']],
    ['state?activate=false', undefined],
    ['state?activate=true', ['tools/list']],
  ] as const) {
    upstream.requests.length = 0;
    const answer = await gateway.api('POST', `/v1/gateways/strict/${path}`);
    expect(answer.status, path).toBe(200);
    if (methods) arrived(methods);
  }
  const report = await gateway.api('POST', '/v1/gateways/strict/check');
  expect(await report.json()).toMatchObject({ ok: true, presented: { subject: 'CN=postern-client' } });
  upstream.requests.length = 0;
  await gateway.gateway.registry.snapshot().bySlug('strict')?.upstream.probe(grantUpkeep('test'));
  arrived(['server/discover']);
}

const CALLED = [
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'resources/read',
  'prompts/get',
  'completion/complete',
];

describe.each([
  ['a CA of its own', () => ({ ca_certificate: ca.pem })],
  [
    'a public CA and none configured',
    () => {
      // nobody has a certificate of a real public CA to test with, so this one becomes public
      setDefaultCACertificates([...builtIn, ca.pem]);
      return {};
    },
  ],
])('an upstream with %s', (_what, trust) => {
  test('registration, every method in both eras, refresh, activation, health and check, also after a restart', async () => {
    const options = { settings: { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db` }, keys: makeKeys() };
    const url = upstream.url.replace('127.0.0.1', 'localhost');
    const identity = { client_cert: client.certPem, client_key: client.keyPem };
    for (const start of ['first', 'second']) {
      upstream.requests.length = 0;
      const gateway = await startGateway(options);
      try {
        if (start === 'first') {
          await gateway.register({ name: 'strict', url, ...identity, ...trust() });
          arrived(['initialize', 'server/discover', 'tools/list']);
          upstream.requests.length = 0;
        }
        await callEverything(gateway);
        arrived(CALLED);
        await manageEverything(gateway);
      } finally {
        await gateway.close();
      }
    }
  });
});
