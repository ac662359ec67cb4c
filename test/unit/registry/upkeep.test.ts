import { expect, test } from 'vitest';
import type { EventName } from '../../../src/base/events.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { decideVisit } from '../../../src/registry/decide-visit.ts';
import { Upkeep } from '../../../src/registry/upkeep.ts';
import { ManualClock } from '../../support/manual-clock.ts';

interface Visit {
  readonly id: string;
  readonly atMs: number;
}

function startUpkeep(outcome: (id: string) => boolean | Error) {
  const clock = new ManualClock();
  const visits: Visit[] = [];
  const reported: EventName[] = [];
  const upkeep = new Upkeep({
    clock,
    events: (name) => void reported.push(name),
    intervalMs: 60_000,
    visit: async (id) => {
      visits.push({ id, atMs: clock.monotonicMs() });
      const result = outcome(id);
      if (result instanceof Error) throw result;
      return result;
    },
  });
  /** Runs what is due, one visit after the other, until `untilMs`. */
  const runUntil = async (untilMs: number) => {
    for (let stepMs = 0; clock.monotonicMs() < untilMs; stepMs = 500) {
      clock.advance(stepMs);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  };
  return { clock, visits, reported, upkeep, runUntil };
}

test('a gateway may be visited before its turn, which then begins anew', async () => {
  const { upkeep, visits, runUntil } = startUpkeep(() => true);
  upkeep.follow(new Set(['a']));
  await runUntil(30_000);
  upkeep.soon('a');
  upkeep.soon('nobody');
  await runUntil(100_000);
  expect(visits.map(({ atMs }) => atMs)).toEqual([0, 30_000, 90_000]);
});

test('a gateway that fares well is visited at once and then after each interval', async () => {
  const { upkeep, visits, runUntil } = startUpkeep(() => true);
  upkeep.follow(new Set(['a']));
  await runUntil(130_000);
  expect(visits.map(({ atMs }) => atMs)).toEqual([0, 60_000, 120_000]);
});

test('one that does not is visited sooner, with pauses that double up to the interval', async () => {
  const { upkeep, visits, runUntil } = startUpkeep(() => false);
  upkeep.follow(new Set(['a']));
  await runUntil(200_000);
  const pauses = visits.slice(1).map(({ atMs }, index) => Math.floor((atMs - (visits[index]?.atMs ?? 0)) / 1000));
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
});

test('success ends the back-off', async () => {
  let count = 0;
  const { upkeep, visits, runUntil } = startUpkeep(() => ++count > 2);
  upkeep.follow(new Set(['a']));
  await runUntil(70_000);
  expect(visits.length).toBe(4);
});

test('gateways that are gone are let go of, others are not disturbed', async () => {
  const { upkeep, clock, visits, runUntil } = startUpkeep(() => true);
  upkeep.follow(new Set(['a', 'b']));
  await runUntil(1_000);
  upkeep.follow(new Set(['b', 'c']));
  await runUntil(2_000);
  expect(visits.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  upkeep.stop();
  expect(clock.pending).toBe(0);
});

test('a visit that ends after its gateway is gone plans nothing', async () => {
  const { upkeep, clock } = startUpkeep(() => true);
  upkeep.follow(new Set(['a']));
  clock.advance(0);
  upkeep.stop();
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  expect(clock.pending).toBe(0);
});

test('what the gateway itself got wrong is reported, what an upstream did is not', async () => {
  const failures = [
    new GatewayError('tls_unknown_ca', 'x'),
    new GatewayError('store_unavailable', 'x'),
    new Error('bug'),
  ];
  const { upkeep, reported, runUntil } = startUpkeep(() => failures.shift() ?? true);
  upkeep.follow(new Set(['a']));
  await runUntil(10_000);
  expect(reported).toEqual(['task.failed', 'task.failed']);
});

test('what a visit has to do', () => {
  const nowMs = Date.UTC(2026, 0, 1, 12);
  const listing = { tools: [], prompts: [], resources: [], resourceTemplates: [] };
  const at = (agoSeconds: number) => new Date(nowMs - agoSeconds * 1000).toISOString();
  const facts = { transport: 'sse' as const, listing, listedAt: at(100) };
  const healthy = (agoSeconds: number) => ({
    status: 'healthy' as const,
    lastSuccessAt: at(agoSeconds),
    consecutiveFailures: 0,
    breaker: 'closed' as const,
  });
  const failing = {
    status: 'failing' as const,
    lastSuccessAt: at(1),
    consecutiveFailures: 1,
    breaker: 'closed' as const,
  };
  const base = { nowMs, intervalMs: 60_000, refreshIntervalSeconds: undefined, facts, health: healthy(10) };
  expect(decideVisit(base)).toBe('nothing');
  expect(decideVisit({ ...base, health: healthy(31) })).toBe('probe');
  expect(decideVisit({ ...base, health: failing })).toBe('probe');
  expect(decideVisit({ ...base, facts: undefined })).toBe('relist');
  expect(decideVisit({ ...base, refreshIntervalSeconds: 101 })).toBe('nothing');
  expect(decideVisit({ ...base, refreshIntervalSeconds: 100 })).toBe('relist');
});
