/** Three replicas, none of them chosen, with questions to clients in flight: nothing is lost, crossed or left behind. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { playMixedSessions } from '../support/mixed-sessions.ts';
import { startReplicas } from '../support/replicas.ts';
import type { Replicas } from '../support/replicas.ts';

let upstreams: Readonly<Record<'legacy' | 'modern' | 'dual', McpUpstream>>;
let replicas: Replicas;
let resourcesBefore: readonly string[];
beforeAll(async () => {
  resourcesBefore = openResources();
  const [legacy, modern, dual] = await Promise.all([
    startMcpUpstream({ era: 'legacy' }),
    startMcpUpstream({ era: 'modern' }),
    startMcpUpstream({ era: 'dual' }),
  ]);
  upstreams = { legacy, modern, dual };
  replicas = await startReplicas(
    3,
    Object.entries(upstreams).map(([name, { url }]) => ({ name, url })),
  );
});
afterAll(async () => {
  await replicas.close();
  for (const upstream of Object.values(upstreams)) await upstream.close();
});

const openResources = (): readonly string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|TLS|Timeout|Immediate/.test(name))
    .toSorted();

const CONCURRENCY = 12;

test.for([
  { clients: ['v1', 'legacy'], eras: ['legacy', 'dual'], count: 24 },
  { clients: ['modern'], eras: ['modern', 'dual'], count: 12 },
  { clients: ['v1', 'legacy'], eras: ['modern'], count: 12 },
  { clients: ['modern'], eras: ['legacy'], count: 12 },
] as const)('$count sessions of $clients clients on $eras upstreams', async ({ clients, eras, count }) => {
  const wrong = await playMixedSessions({
    url: replicas.url,
    bearer: await replicas.bearer('ann'),
    clients,
    targets: eras.map((era) => ({ slug: era, era, upstream: upstreams[era] })),
    count,
    concurrency: CONCURRENCY,
  });
  expect(wrong).toEqual([]);
  expect(Math.max(...replicas.counts) - Math.min(...replicas.counts)).toBeLessThanOrEqual(1);
  for (const era of eras) {
    expect(upstreams[era].held, `calls left at the ${era} upstream`).toBe(0);
    // each replica has one of its own, and for a minute those in which modern callers could be asked
    const keptCount = clients.some((client) => client === 'modern') ? CONCURRENCY : 0;
    expect(upstreams[era].sessions, `sessions left at the ${era} upstream`).toBeLessThanOrEqual(3 * (1 + keptCount));
  }
});

test('once all is closed, no socket and no timer is left', async () => {
  await replicas.close();
  for (const upstream of Object.values(upstreams)) await upstream.close();
  await expect.poll(openResources, { timeout: 10_000 }).toEqual(resourcesBefore);
});
