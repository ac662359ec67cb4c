/** ContextForge bug B9: an http:// upstream was to do without TLS, and had a TLS context built for every call. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { grantUpkeep } from '../../src/policy/grant.ts';
import { watchCostlyWork } from '../support/costly-work.ts';
import type { CostlyWork } from '../support/costly-work.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { startStrictUpstream } from '../support/strict-upstream.ts';
import type { StrictUpstream } from '../support/strict-upstream.ts';

let plain: McpUpstream;
let strict: StrictUpstream;
let gateway: TestGateway;
let work: CostlyWork;

beforeAll(async () => {
  plain = await startMcpUpstream();
  strict = await startStrictUpstream();
  gateway = await startGateway();
  work = watchCostlyWork();
});
afterAll(async () => {
  work.stop();
  await gateway.close();
  await plain.close();
  await strict.upstream.close();
});

/** Registration and every path there is to a registered upstream. */
async function useEveryPath(name: string, fields: object): Promise<void> {
  await gateway.register({ ...fields, name });
  for (const era of ['legacy', 'modern'] as const) {
    const client = await connectClient(`${gateway.url}/servers/${name}/mcp`, await gateway.token('ann'), era);
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'x' } }))).toBe('x');
    await client.readResource({ uri: 'test://text' });
    await client.getPrompt({ name: 'greet', arguments: { who: 'Ann' } });
    await client.close();
  }
  for (const path of ['check', 'refresh', 'state?activate=false', 'state?activate=true'])
    expect((await gateway.api('POST', `/v1/gateways/${name}/${path}`)).status, path).toBe(200);
  await gateway.gateway.registry.snapshot().bySlug(name)?.upstream.probe(grantUpkeep('test'));
  await gateway.gateway.reload('operator');
}

const tlsWork = () => ({
  contexts: work.counts()['createSecureContext'] ?? 0,
  built: gateway.countOf('context.built'),
  handshakes: gateway.countOf('handshake.finished'),
});

test('no path to an http:// upstream touches TLS; the same paths to an https:// one do', async () => {
  await useEveryPath('plain', { url: plain.url });
  expect(tlsWork()).toEqual({ contexts: 0, built: 0, handshakes: 0 });
  expect(gateway.gateway.registry.snapshot().bySlug('plain')?.upstream.config.profile).toBeUndefined();
  expect(plain.requestsOf('tools/call')).toHaveLength(2);

  await useEveryPath('strict', strict.fields);
  const { contexts, built, handshakes } = tlsWork();
  expect([contexts, built]).toEqual([1, 1]);
  expect(handshakes).toBeGreaterThan(1);
});
