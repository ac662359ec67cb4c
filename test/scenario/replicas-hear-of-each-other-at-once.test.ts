/** Replicas over a store that tells of commits: what one has for another arrives when it is written, at no later look. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Platform } from '../../src/platform.ts';
import { startEverything } from '../support/everything/everything.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { startReplicas } from '../support/replicas.ts';
import type { Replicas } from '../support/replicas.ts';

/** The first look of one who is told nothing comes after so long; here it never comes. */
const FIRST_LOOK_MS = 100;

const neverLooking = (platform: Platform): Platform => {
  const { clock } = platform;
  const after = (delayMs: number, task: () => void) =>
    delayMs < FIRST_LOOK_MS ? clock.after(delayMs, task) : () => undefined;
  return { ...platform, clock: { ...clock, after } };
};

describe.each([
  ['Redis', startRedis],
  ['PostgreSQL', startPostgres],
] as const)('over %s', (_, startStore) => {
  let asking: FetchServer;
  let store: TestServer;
  let replicas: Replicas;

  beforeAll(async () => {
    [asking, store] = await Promise.all([startEverything('modern'), startStore()]);
    const settings = { POSTERN_STORAGE: store.url };
    replicas = await startReplicas(2, [{ name: 'asking', url: asking.url }], settings, neverLooking);
  });
  afterAll(async () => {
    await replicas.close();
    await store.close();
    await asking.close();
  });

  test('an answer that comes in at the other replica is heard without looking', async () => {
    const call = async (): Promise<void> => {
      const client = await connectClient(`${replicas.url}/servers/asking/mcp`, await replicas.bearer('ann'), 'legacy');
      client.setRequestHandler('elicitation/create', () => ({
        action: 'accept',
        content: { name: 'Ann', color: 'blue' },
      }));
      const answer = await client.callTool({ name: 'test_input_required_result_multi_round', arguments: {} });
      expect(textOf(answer)).toBe('Ann likes blue');
      await client.close();
    };
    // of some of them the answers come in where they are waited for
    for (let index = 0; index < 4; index++) await call();
    expect(Math.min(...replicas.counts)).toBeGreaterThan(4);
  });
});
