import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import type { UpstreamFacts } from '../../../src/upstream/facts.ts';
import { ListingKeeper } from '../../../src/upstream/listing-keeper.ts';
import type { ListingMethod } from '../../../src/wire/mcp.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const WAIT = { limitMs: 10_000 };
const BROKEN = new GatewayError('upstream_protocol', 'no listing');

/** A source whose readings end when the test says so. */
function startKeeper({ ttlMs = 0, known = true } = {}) {
  const clock = new ManualClock();
  const reads: ListingMethod[] = [];
  const outcomes: (string | undefined)[] = [];
  const state = { watched: false, down: false, version: 0 };
  let facts: UpstreamFacts | undefined;
  let pending: PromiseWithResolvers<void> | undefined;
  const learn = (): UpstreamFacts => {
    const listing = { tools: [{ name: `v${state.version}` }], prompts: [], resources: [], resourceTemplates: [] };
    const listedAt = new Date(clock.nowMs()).toISOString();
    return (facts = {
      transport: 'streamable-http',
      modern: { supportedVersions: [], capabilities: { tools: {} } },
      listing,
      terms: { 'tools/list': { listedAt, ttlMs, cacheScope: 'public' } },
      listedAt,
    });
  };
  const end = async () => {
    await (pending = Promise.withResolvers<void>()).promise;
    learn();
  };
  const keeper = new ListingKeeper({
    clock,
    facts: () => facts,
    readAll: end,
    read: (method) => {
      reads.push(method);
      return end();
    },
    isWatched: () => state.watched,
    isDown: () => state.down,
    onOutcome: (failure) => void outcomes.push(failure?.code),
  });
  if (known) {
    const wasRead = keeper.beginReadingAll();
    learn();
    wasRead();
  }
  const settle = () => new Promise(setImmediate);
  return {
    clock,
    keeper,
    reads,
    outcomes,
    state,
    learn,
    tools: () => keeper.fresh('tools/list', WAIT),
    /** Ends the reading under way. */
    finish: async (failure?: GatewayError) => {
      state.version++;
      if (failure) pending?.reject(failure);
      else pending?.resolve();
      await settle();
    },
  };
}

const nameOf = (listing: unknown) => (listing as UpstreamFacts['listing']).tools[0]?.['name'];

test('a listing is answered at once while its time lasts, and read again once for all who ask after that', async () => {
  const { clock, keeper, reads, tools, finish } = startKeeper({ ttlMs: 5000 });
  clock.advance(4999);
  expect(nameOf(tools())).toBe('v0');
  expect(keeper.terms('tools/list')).toEqual({ ttlMs: 1, cacheScope: 'public' });
  clock.advance(1);
  const asked = [tools(), tools()];
  expect(asked.every((listing) => listing instanceof Promise)).toBe(true);
  await finish();
  expect([await asked[0], await asked[1]].map(nameOf)).toEqual(['v1', 'v1']);
  expect(reads).toEqual(['tools/list']);
  expect(nameOf(tools())).toBe('v1');
});

test('what the upstream does not offer is never asked for, and may be kept for ever', () => {
  const { keeper, reads } = startKeeper();
  expect(keeper.fresh('prompts/list', WAIT)).not.toBeInstanceOf(Promise);
  expect(keeper.terms('prompts/list')).toEqual({ ttlMs: Infinity, cacheScope: 'public' });
  expect(reads).toEqual([]);
});

test('a watched listing needs no other reading until a change is told', async () => {
  const { clock, keeper, state, tools, finish } = startKeeper();
  state.watched = true;
  clock.advance(3_600_000);
  expect(nameOf(tools())).toBe('v0');
  keeper.markChanged(['tools/list']);
  expect(keeper.terms('tools/list')).toEqual({ ttlMs: 0, cacheScope: 'private' });
  const asked = tools();
  await finish();
  expect(nameOf(await asked)).toBe('v1');
  expect(keeper.isDue).toBe(false);
});

test('who hears of a change during a reading gets what was read after it', async () => {
  const { keeper, reads, state, tools, finish } = startKeeper();
  state.watched = true;
  keeper.markChanged(['tools/list']);
  const early = tools();
  keeper.markChanged(['tools/list']);
  const late = tools();
  await finish();
  expect(reads).toHaveLength(2);
  await finish();
  expect([await early, await late].map(nameOf)).toEqual(['v2', 'v2']);
  expect(keeper.isDue).toBe(false);
});

test('a failed reading answers what is known, is told, and is not repeated at once', async () => {
  const { clock, keeper, reads, outcomes, tools, finish } = startKeeper();
  const asked = tools();
  await finish(BROKEN);
  expect(nameOf(await asked)).toBe('v0');
  expect(outcomes).toEqual(['upstream_protocol']);
  expect(keeper.isDue).toBe(true);
  expect(nameOf(tools())).toBe('v0');
  expect(reads).toHaveLength(1);
  clock.advance(1000);
  const again = tools();
  await finish();
  expect(nameOf(await again)).toBe('v2');
  expect(outcomes).toEqual(['upstream_protocol', undefined]);
  expect(keeper.isDue).toBe(false);
});

test('a slow reading holds nobody back for long, and later callers not at all; it is kept when it comes', async () => {
  const { clock, reads, tools, finish } = startKeeper({ ttlMs: 60_000 });
  clock.advance(60_000);
  const asked = tools();
  clock.advance(3000);
  expect(nameOf(await asked)).toBe('v0');
  expect(nameOf(await tools())).toBe('v0');
  expect(reads).toHaveLength(1);
  await finish();
  expect(nameOf(tools())).toBe('v1');
});

test('an upstream that is down is read in the background only, unless somebody insists', async () => {
  const { keeper, reads, state, tools, finish } = startKeeper();
  state.down = true;
  expect(nameOf(tools())).toBe('v0');
  expect(reads).toHaveLength(1);
  const insisted = keeper.again('tools/list', WAIT);
  await finish();
  expect(nameOf(await insisted)).toBe('v1');
  expect(reads).toHaveLength(1);
});

test('an upstream never listed is waited for as long as the caller allows, then its failure is repeated for a while', async () => {
  const { clock, tools, finish } = startKeeper({ known: false });
  const asked = Promise.resolve(tools());
  const outcome = expect(asked).rejects.toMatchObject({ code: 'upstream_timeout' });
  clock.advance(10_000);
  await outcome;
  await expect(tools()).rejects.toMatchObject({ code: 'upstream_timeout' });
  await finish(BROKEN);
  await expect(tools()).rejects.toBe(BROKEN);
  clock.advance(1000);
  const later = tools();
  await finish();
  expect(nameOf(await later)).toBe('v2');
});

test('who leaves is told so', async () => {
  const { keeper } = startKeeper();
  const caller = new AbortController();
  const asked = keeper.fresh('tools/list', { ...WAIT, signal: caller.signal });
  caller.abort();
  await expect(asked).rejects.toMatchObject({ code: 'call_cancelled' });
});

test('what an earlier run of the gateway read lasts as long as it would have', () => {
  const { clock, keeper, learn, tools } = startKeeper({ ttlMs: 5000, known: false });
  const facts = learn();
  clock.advance(4000);
  keeper.adopt(facts);
  expect(keeper.terms('tools/list').ttlMs).toBe(1000);
  expect(nameOf(tools())).toBe('v0');
  clock.advance(1000);
  expect(tools()).toBeInstanceOf(Promise);
});
