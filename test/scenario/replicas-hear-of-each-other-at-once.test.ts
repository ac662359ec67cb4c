/** Replicas over a store that tells of commits: what one has for another arrives when it is written, not at the next look. */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEverything } from '../support/everything/everything.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { startReplicas } from '../support/replicas.ts';
import type { Replicas } from '../support/replicas.ts';

let asking: FetchServer;
let stores: TestServer[];
/** Over a file, which tells nothing, over Redis, and over PostgreSQL. */
let fleets: Replicas[];

beforeAll(async () => {
  asking = await startEverything('modern');
  stores = await Promise.all([startRedis(), startPostgres()]);
  const settings = [{}, ...stores.map(({ url }) => ({ POSTERN_STORAGE: url }))];
  const gateways = [{ name: 'asking', url: asking.url }];
  fleets = await Promise.all(settings.map((some) => startReplicas(2, gateways, some)));
});
afterAll(async () => {
  for (const fleet of fleets) await fleet.close();
  for (const server of [...stores, asking]) await server.close();
});

/** What a person takes to answer; replicas that are told nothing look every second by then. */
const THINKING_MS = 1_600;

/** Milliseconds between the answers of a person who was asked twice and what came of them. */
async function heardAfterMs(fleet: Replicas): Promise<number> {
  const client = await connectClient(`${fleet.url}/servers/asking/mcp`, await fleet.bearer('ann'), 'legacy');
  let answeredAtMs: number | undefined;
  let heardMs = 0;
  const hear = () => {
    if (answeredAtMs !== undefined) heardMs += performance.now() - answeredAtMs;
  };
  client.setRequestHandler('elicitation/create', async () => {
    hear();
    await setTimeout(THINKING_MS);
    answeredAtMs = performance.now();
    return { action: 'accept', content: { name: 'Ann', color: 'blue' } };
  });
  const answer = await client.callTool({ name: 'test_input_required_result_multi_round', arguments: {} });
  hear();
  expect(textOf(answer)).toBe('Ann likes blue');
  await client.close();
  return heardMs;
}

test('an answer that comes in at the other replica is heard at once', { timeout: 30_000 }, async () => {
  // side by side, so that a busy machine slows them all; of some calls the answers come in where they are waited for
  const longestMs = async (fleet: Replicas) =>
    Math.max(...(await Promise.all([1, 2, 3, 4].map(() => heardAfterMs(fleet)))));
  const [file = 0, redis = 0, postgres = 0] = await Promise.all(fleets.map(longestMs));
  expect(redis).toBeLessThan(file / 2);
  expect(postgres).toBeLessThan(file / 2);
  for (const { counts } of fleets) expect(Math.min(...counts)).toBeGreaterThan(4);
});
