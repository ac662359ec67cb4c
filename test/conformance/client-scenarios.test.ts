/** The suite's client scenarios: what a client does at `/servers/{slug}/mcp` arrives at the suite's server by the book. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examineClient, requirementsOf } from '../support/conformance.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';

const COMMAND = `"${process.execPath}" "${resolve(import.meta.dirname, 'suite-client.ts')}"`;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ settings: { AUTH_REQUIRED: 'false' } });
});
afterAll(() => gateway.close());

/** What a client does at the suite's own authorization servers is the business of the gateway's OAuth client. */
const isAuth = (scenario: string) => scenario.startsWith('auth/');

const SCENARIOS = {
  '2025-11-25': [
    'initialize',
    'tools_call',
    'elicitation-sep1034-client-defaults',
    'sse-retry',
    'json-schema-2020-12-preservation',
  ],
  '2026-07-28': [
    'tools_call',
    'request-metadata',
    'sep-2322-client-request-state',
    'http-standard-headers',
    'http-custom-headers',
    'http-invalid-tool-headers',
    'json-schema-ref-no-deref',
    'json-schema-2020-12-preservation',
  ],
} as const;

for (const revision of ['2025-11-25', '2026-07-28'] as const) {
  test(`every scenario of ${revision} that is not about authorization is here`, async () => {
    const { required, beyond } = await requirementsOf(revision, 'client');
    expect([...required, ...beyond].filter((scenario) => !isAuth(scenario))).toEqual(SCENARIOS[revision]);
  });

  test.concurrent.for(SCENARIOS[revision])(`%s of ${revision} passes`, async (scenario, { expect }) => {
    const findings = await examineClient(COMMAND, scenario, revision, { POSTERN_URL: gateway.url });
    expect(findings).toEqual({ passed: [scenario], failed: [], complaints: [] });
  });
}
