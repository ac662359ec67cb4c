import { beforeEach, expect, test } from 'vitest';
import { Cancellation } from '../../../src/base/cancel-signal.ts';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { RunningCalls } from '../../../src/bridge/legacy-to-modern/running-calls.ts';
import { Mailbox } from '../../../src/session/mailbox.ts';
import type { RecordedSession } from '../../../src/session/session-records.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintVault } from '../../support/vault.ts';

let clock: ManualClock;
let records: RecordStore;
let calls: RunningCalls;
let elsewhere: RunningCalls;
beforeEach(async () => {
  const vault = await mintVault();
  clock = new ManualClock();
  records = new RecordStore({ storage: openMemory(), sealer: vault, events: () => undefined });
  const open = () => new RunningCalls(new Mailbox({ records, vault, clock }));
  [calls, elsewhere] = [open(), open()];
});
const [s, t] = ['s', 't'].map((id) => ({ id, expiresAtMs: Date.UTC(2026, 1, 1) })) as [
  RecordedSession,
  RecordedSession,
];
const never = new Cancellation();

test('a request is cancelled by its session and id, at every upstream where it runs', async () => {
  const [one, two, other, text] = [
    calls.begin(s, 1, never),
    calls.begin(s, 1, never),
    calls.begin(t, 1, never),
    calls.begin(s, '1', never),
  ];
  await calls.cancel(s, 1);
  expect([one, two, other, text].map(({ cancelled }) => cancelled)).toEqual([true, true, false, false]);
  expect(one.signal.reason).toMatchObject({ code: 'call_cancelled' });
  expect(calls.size).toBe(2);
  await calls.cancel(s, 'unknown');
});

test('a caller that leaves ends its call, which is no cancellation', () => {
  const caller = new Cancellation();
  const call = calls.begin(s, 1, caller);
  caller.abort('left');
  expect(call.signal).toMatchObject({ aborted: true, reason: 'left' });
  expect(call.cancelled).toBe(false);
  expect(calls.size).toBe(0);
  expect(calls.begin(s, 2, caller).signal.aborted).toBe(true);
  expect(calls.size).toBe(0);
});

test('what has ended cannot be cancelled', async () => {
  const call = calls.begin(s, 1, never);
  call.end();
  call.end();
  await calls.cancel(s, 1);
  expect(call.cancelled).toBe(false);
  expect(call.signal.aborted).toBe(false);
  expect(calls.size).toBe(0);
});

test('a session that ends takes its own calls with it', () => {
  const mine = [calls.begin(s, 1, never), calls.begin(s, '', never)];
  const other = calls.begin({ ...s, id: 'st' }, 1, never);
  calls.cancelAll('s');
  expect(mine.every(({ cancelled }) => cancelled)).toBe(true);
  expect(other.cancelled).toBe(false);
});

test('a cancellation that arrives at another instance reaches the call where it runs', async () => {
  const call = calls.begin(s, 1, never);
  const other = calls.begin(s, 2, never);
  await elsewhere.cancel(s, 1);
  while (!call.cancelled) {
    clock.advance(200);
    await new Promise(setImmediate);
  }
  expect(other.cancelled).toBe(false);
  expect(await records.ids('letter')).toEqual([]);
});

test('a letter has one reader, and it reaches every upstream where the request still runs', async () => {
  const readers: ((text: string) => void)[] = [];
  const here = new RunningCalls({
    namedAddress: () => Promise.resolve('letters'),
    post: () => Promise.resolve(),
    wait: () => new Promise((resolve) => void readers.push(resolve)),
  });
  const [ended, one, two] = [here.begin(s, 1, never), here.begin(s, 1, never), here.begin(s, 1, never)];
  ended.end();
  await new Promise(setImmediate);
  expect(readers).toHaveLength(1);
  readers[0]?.('');
  await new Promise(setImmediate);
  expect([ended, one, two].map(({ cancelled }) => cancelled)).toEqual([false, true, true]);
  expect(here.size).toBe(0);
});

test('a caller that cancels what never ran does not fill the store', async () => {
  for (let id = 0; id < 300; id++) await calls.cancel(s, id);
  expect(await records.ids('letter')).toHaveLength(256);
  const here = calls.begin(s, 'here', never);
  await calls.cancel(s, 'here');
  expect(here.cancelled).toBe(true);
});
