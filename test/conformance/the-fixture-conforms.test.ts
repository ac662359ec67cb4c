/** The suite's findings about Postern are worth as much as the upstream it is run with. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REQUIRED_COUNT, examineServer, fullConformance } from '../support/conformance.ts';
import { startEverything } from '../support/everything/everything.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';

let fixture: FetchServer;
beforeAll(async () => {
  fixture = await startEverything();
});
afterAll(() => fixture.close());

test.for(['2025-11-25', '2026-07-28'] as const)('every scenario of %s passes without a gateway', async (revision) => {
  const findings = await examineServer(fixture.url, revision);
  expect(findings).toEqual(await fullConformance(revision));
  expect(findings.passed).toHaveLength(REQUIRED_COUNT[revision]);
});
