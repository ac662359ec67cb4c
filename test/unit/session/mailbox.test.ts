import { beforeEach, expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node/storage/memory.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { Mailbox } from '../../../src/session/mailbox.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintVault } from '../../support/vault.ts';

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

let records: RecordStore;
let clock: ManualClock;
let here: Mailbox;
let elsewhere: Mailbox;
beforeEach(async () => {
  const vault = await mintVault();
  records = new RecordStore({ storage: openMemory(), sealer: vault, events: () => undefined });
  clock = new ManualClock();
  here = new Mailbox({ records, vault, clock });
  elsewhere = new Mailbox({ records, vault, clock });
});

/** Lets time pass until `promise` is settled. */
async function eventually<T>(promise: Promise<T>): Promise<T> {
  const state = { settled: false };
  void promise.catch(() => undefined).finally(() => (state.settled = true));
  while (!state.settled) {
    clock.advance(1_000);
    await new Promise(setImmediate);
  }
  return promise;
}

test('a message for somebody who waits here arrives at once and is never stored', async () => {
  const address = await here.address('ann');
  const waiting = here.wait(address, never);
  await here.post(address, 'ann', 'hello');
  expect(await waiting).toBe('hello');
  expect(await records.ids('letter')).toEqual([]);
});

test('a message posted at another instance arrives, and is gone from the store', async () => {
  const address = await here.address('ann');
  const waiting = here.wait(address, never);
  await elsewhere.post(address, 'ann', 'hello');
  expect(await eventually(waiting)).toBe('hello');
  expect(await records.ids('letter')).toEqual([]);
});

test('a message that came before anybody waited is found', async () => {
  const address = await here.address('ann');
  await elsewhere.post(address, 'ann', 'early');
  expect(await eventually(here.wait(address, never))).toBe('early');
});

test('instances meet at a name nobody told them', async () => {
  const expiresAtMs = clock.nowMs() + HOUR_MS;
  const waiting = here.wait(await here.namedAddress('ann', 'call 7', expiresAtMs), never);
  await elsewhere.post(await elsewhere.namedAddress('ann', 'call 8', expiresAtMs), 'ann', 'another');
  await elsewhere.post(await elsewhere.namedAddress('ann', 'call 7', expiresAtMs), 'ann', 'hello');
  expect(await eventually(waiting)).toBe('hello');
});

test('nobody posts for another, to an address of their own making, or too late', async () => {
  const address = await here.address('ann');
  const forged = address.replace(/-(.)/, (_, first: string) => `-${first === 'x' ? 'y' : 'x'}`);
  for (const [to, scope] of [
    [address, 'bob'],
    [forged, 'ann'],
    ['', 'ann'],
    ['1-2.3.4', 'ann'],
  ] as const)
    await expect(here.post(to, scope, 'x')).rejects.toMatchObject({ code: 'request_invalid' });
  clock.advance(HOUR_MS + 1_000);
  await expect(here.post(address, 'ann', 'x')).rejects.toMatchObject({ code: 'request_invalid' });
  expect(await records.ids('letter')).toEqual([]);
});

test('whoever waits no longer looks no longer', async () => {
  const leaving = new AbortController();
  const address = await here.address('ann');
  const waiting = here.wait(address, leaving.signal);
  leaving.abort(new GatewayError('call_cancelled', 'gone'));
  await expect(waiting).rejects.toMatchObject({ code: 'call_cancelled' });
  expect(clock.pending).toBe(0);
});

test('letters nobody collected go with a later one', async () => {
  const old = await here.address('ann');
  await elsewhere.post(old, 'ann', 'never read');
  clock.advance(HOUR_MS * 2);
  const address = await here.address('ann');
  await elsewhere.post(address, 'ann', 'second');
  expect(await records.ids('letter')).toEqual([address.split('.')[0]]);
});
