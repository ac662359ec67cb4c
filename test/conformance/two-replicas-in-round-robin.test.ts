/** The conformance suite over two replicas of which each gets every other request, with two servers behind them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REQUIRED_COUNT, examineServer, fullConformance } from '../support/conformance.ts';
import { startEverything } from '../support/everything/everything.ts';
import { startSecond } from '../support/everything/second.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { startReplicas } from '../support/replicas.ts';
import type { Replicas } from '../support/replicas.ts';

/**
 * Not required by any revision: a session that was ended on one replica may be served by another for five seconds more,
 * since a warm call reads nothing from the store. Whether the suite meets those seconds depends on whose turn it is.
 */
const ENDS_SOON = 'server-session-lifecycle: server-session-terminated-returns-404: ';

let everything: FetchServer;
let second: FetchServer;
let replicas: Replicas;
beforeAll(async () => {
  [everything, second] = await Promise.all([startEverything(), startSecond()]);
  const gateways = [
    { name: 'everything', url: everything.url, prefix: '' },
    { name: 'second', url: second.url },
  ];
  // the suite carries no credentials
  replicas = await startReplicas(2, gateways, { AUTH_REQUIRED: 'false' });
});
afterAll(() => Promise.all([replicas.close(), everything.close(), second.close()]));

test.for([
  ['2025-11-25', '/mcp'],
  ['2026-07-28', '/mcp'],
  ['2025-11-25', '/servers/everything/mcp'],
  ['2026-07-28', '/servers/everything/mcp'],
] as const)('every scenario of %s passes at %s', async ([revision, path]) => {
  const before = replicas.counts.reduce((sum, count) => sum + count, 0);
  const findings = await examineServer(replicas.url + path, revision);
  const complaints = findings.complaints.filter((complaint) => !complaint.startsWith(ENDS_SOON));
  expect({ ...findings, complaints }).toEqual(await fullConformance(revision));
  expect(findings.passed).toHaveLength(REQUIRED_COUNT[revision]);

  const [one = 0, other = 0] = replicas.counts;
  expect(one + other - before).toBeGreaterThan(REQUIRED_COUNT[revision]);
  expect(Math.abs(one - other)).toBeLessThanOrEqual(1);
});
