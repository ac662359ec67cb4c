/** The conformance suite through the Worker in workerd: what is found is what is found on Node. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REQUIRED_COUNT, examineServer, fullConformance } from '../support/conformance.ts';
import { startEverything } from '../support/everything/everything.ts';
import { startSecond } from '../support/everything/second.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { startWorkerdGateway } from '../support/workerd-gateway.ts';
import type { WorkerdGateway } from '../support/workerd-gateway.ts';

let everything: FetchServer;
let second: FetchServer;
let gateway: WorkerdGateway;
beforeAll(async () => {
  [everything, second] = await Promise.all([startEverything(), startSecond()]);
  // the suite carries no credentials
  gateway = await startWorkerdGateway({ texts: { AUTH_REQUIRED: 'false' } });
  await gateway.register({ name: 'everything', url: everything.url, prefix: '' });
  await gateway.register({ name: 'second', url: second.url });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([everything.close(), second.close()]);
});

test.for(['2025-11-25', '2026-07-28'] as const)('every scenario of %s passes on workerd', async (revision) => {
  const findings = await examineServer(`${gateway.url.replace('127.0.0.1', 'localhost')}/mcp`, revision);
  expect(findings).toEqual(await fullConformance(revision));
  expect(findings.passed).toHaveLength(REQUIRED_COUNT[revision]);
});
