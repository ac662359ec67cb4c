/** Three replica processes behind a balancer that knows no sessions, and sessions of every kind for minutes on end. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspect } from '../support/inspected.ts';
import type { Inspected } from '../support/inspected.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { playMixedSessions } from '../support/mixed-sessions.ts';
import type { MixedTarget } from '../support/mixed-sessions.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { startRedis } from '../support/redis.ts';
import type { TestServer } from '../support/redis.ts';
import { startRoundRobin } from '../support/round-robin.ts';
import { scaled } from '../support/soak-scale.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { formatVaultKeys, generateVaultKey } from '../../src/vault/vault-keys.ts';

const SESSIONS = scaled(1000, 60);
const ROUNDS = 4;
/** Code is compiled and caches are filled by these. */
const WARM_UP = 36;
const SAME_IN_A_ROW = 10;
const CLIENTS = ['v1', 'legacy', 'modern'] as const;
const ERAS = ['legacy', 'modern', 'dual'] as const;

let redis: TestServer;
let folder: TempFolder;
let upstreams: readonly MixedTarget[];
let replicas: readonly ServingPostern[];
let inspected: readonly Inspected[];
let bearer: string;

beforeAll(async () => {
  [redis, folder] = await Promise.all([startRedis(), makeTempFolder()]);
  const env = {
    POSTERN_STORAGE: redis.url,
    POSTERN_VAULT_KEYS: formatVaultKeys([generateVaultKey()]).reveal(),
    JWT_SECRET_KEY: crypto.randomUUID() + crypto.randomUUID(),
    LOG_LEVEL: 'error',
  };
  const options = { cwd: folder.path, env: { ...env, NODE_OPTIONS: '--inspect=127.0.0.1:0' } };
  const tokenOf = async (...args: readonly string[]) =>
    (await runPostern(['token', ...args], { cwd: folder.path, env })).stdout.trim();
  upstreams = await Promise.all(
    ERAS.map(async (era) => ({ slug: era, era, upstream: await startMcpUpstream({ era }) })),
  );
  const first = await servePostern([], options);
  const authorization = `Bearer ${await tokenOf('--sub', 'operator', '--role', 'admin')}`;
  for (const { slug: name, upstream } of upstreams) {
    const answer = await fetch(`${first.url}/v1/gateways`, {
      method: 'POST',
      // a connection that is kept would count as left behind
      headers: { authorization, 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ name, url: upstream.url }),
    });
    expect(answer.status, await answer.text()).toBe(200);
  }
  replicas = [first, ...(await Promise.all([servePostern([], options), servePostern([], options)]))];
  inspected = await Promise.all(replicas.map((replica) => inspect(replica.stderr())));
  bearer = await tokenOf('--sub', 'ann');
});
afterAll(async () => {
  for (const connection of inspected) connection.close();
  for (const replica of replicas) await replica.kill();
  for (const { upstream } of upstreams) await upstream.close();
  await redis.close();
  await folder.remove();
});

/** Plays sessions behind a balancer of its own, so that its connections are gone when they have ended. */
async function play(count: number): Promise<void> {
  const balancer = await startRoundRobin(replicas.map(({ url }) => url));
  try {
    const wrong = await playMixedSessions({
      url: balancer.url,
      bearer,
      clients: CLIENTS,
      targets: upstreams,
      count,
      concurrency: 24,
    });
    expect(wrong).toEqual([]);
    expect(Math.max(...balancer.counts) - Math.min(...balancer.counts)).toBeLessThanOrEqual(1);
  } finally {
    await balancer.close();
  }
  for (const { upstream, slug } of upstreams) {
    expect(upstream.held, `calls left at the ${slug} upstream`).toBe(0);
    upstream.requests.length = 0;
  }
}

const measure = () => Promise.all(inspected.map((replica) => replica.footprint()));

/** Sockets and timers of each replica, once nothing has changed for some seconds: idle connections are kept a while. */
async function settledHandles(): Promise<unknown> {
  const seen: string[] = [];
  const isSettled = async () => {
    seen.push(JSON.stringify((await measure()).map(({ sockets, timers }) => ({ sockets, timers }))));
    return seen.length >= SAME_IN_A_ROW && new Set(seen.slice(-SAME_IN_A_ROW)).size === 1;
  };
  await expect.poll(isSettled, { interval: 500, timeout: 120_000 }).toBe(true);
  return JSON.parse(seen.at(-1) ?? '');
}

test(`${SESSIONS} sessions lose, cross and leave nothing`, async () => {
  await play(WARM_UP);
  const idle = await settledHandles();
  const heaps = [(await measure()).map(({ heapBytes }) => heapBytes)];
  for (let round = 0; round < ROUNDS; round++) {
    await play(SESSIONS / ROUNDS);
    heaps.push((await measure()).map(({ heapBytes }) => heapBytes));
  }
  expect(await settledHandles(), 'sockets and timers').toEqual(idle);
  console.log(`heaps ${heaps.map((each) => each.map((bytes) => (bytes / 1e6).toFixed(1)).join(' ')).join(', ')} MB`);
  const [, early = [], ...later] = heaps;
  // ended sessions stay in a bounded cache of the replicas that did not end them, at some 2 kB each
  const growth = (later.at(-1) ?? []).map((bytes, replica) => bytes - (early[replica] ?? 0));
  expect(Math.max(...growth)).toBeLessThan(3_000_000);
});
