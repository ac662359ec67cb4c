/** The conformance suite through one gateway that Deno or Bun serves: what is found is what is found on Node. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REQUIRED_COUNT, examineServer, fullConformance } from '../support/conformance.ts';
import { startEverything } from '../support/everything/everything.ts';
import { startSecond } from '../support/everything/second.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { SUBJECTS, startRuntimeGateway } from '../support/runtime-gateway.ts';
import type { RuntimeGateway } from '../support/runtime-gateway.ts';

let servers: readonly [FetchServer, FetchServer];
const gateways = new Map<string, RuntimeGateway>();
beforeAll(async () => {
  servers = await Promise.all([startEverything(), startSecond()]);
  for (const name of ['deno', 'bun'] as const) {
    // the suite carries no credentials
    const gateway = await startRuntimeGateway(SUBJECTS[name], { env: { AUTH_REQUIRED: 'false' } });
    gateways.set(name, gateway);
    await gateway.register({ name: 'everything', url: servers[0].url, prefix: '' });
    await gateway.register({ name: 'second', url: servers[1].url });
  }
});
afterAll(async () => {
  for (const opened of [...gateways.values(), ...(servers ?? [])]) await opened.close();
});

test.for([
  ['2025-11-25', 'deno'],
  ['2026-07-28', 'deno'],
  ['2025-11-25', 'bun'],
  ['2026-07-28', 'bun'],
] as const)('every scenario of %s passes on %s', async ([revision, name]) => {
  const url = gateways.get(name)?.url.replace('127.0.0.1', 'localhost');
  const findings = await examineServer(`${url}/mcp`, revision);
  expect(findings).toEqual(await fullConformance(revision));
  expect(findings.passed).toHaveLength(REQUIRED_COUNT[revision]);
});
