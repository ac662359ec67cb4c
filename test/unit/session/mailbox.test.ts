import { beforeEach, describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { Mailbox } from '../../../src/session/mailbox.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openSteeredStorage, withoutPush } from '../../support/steered-storage.ts';
import type { SteeredStorage } from '../../support/steered-storage.ts';
import { mintVault } from '../../support/vault.ts';

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

let steered: SteeredStorage;
let records: RecordStore;
let clock: ManualClock;
let here: Mailbox;
let elsewhere: Mailbox;

async function openMailboxes(tells: boolean): Promise<void> {
  const vault = await mintVault();
  steered = openSteeredStorage();
  const storage = tells ? steered.storage : withoutPush(steered.storage);
  records = new RecordStore({ storage, sealer: vault, events: () => undefined });
  clock = new ManualClock();
  here = new Mailbox({ records, vault, clock });
  elsewhere = new Mailbox({ records, vault, clock });
  // by then they know whether the store tells
  await new Promise(setImmediate);
}

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

describe.each([
  ['tells', true],
  ['does not tell', false],
])('over a store that %s', (_, tells) => {
  beforeEach(() => openMailboxes(tells));

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

  test('a wait outlives a store that is gone for a while', async () => {
    const address = await here.address('ann');
    const waiting = here.wait(address, never);
    const outcome = waiting.catch((error: unknown) => error);
    steered.gone = true;
    for (let second = 0; second < 30; second++) {
      clock.advance(1_000);
      await new Promise(setImmediate);
    }
    steered.gone = false;
    await elsewhere.post(address, 'ann', 'after all');
    await eventually(waiting);
    expect(await outcome).toBe('after all');
  });
});

describe('where the store tells', () => {
  beforeEach(() => openMailboxes(true));

  test('a message arrives at once', async () => {
    const address = await here.address('ann');
    const waiting = here.wait(address, never);
    await elsewhere.post(address, 'ann', 'hello');
    expect(await waiting).toBe('hello');
    expect(clock.monotonicMs()).toBe(0);
  });

  test('so does one that came before anybody waited', async () => {
    const address = await here.address('ann');
    await elsewhere.post(address, 'ann', 'early');
    expect(await here.wait(address, never)).toBe('early');
    expect(clock.monotonicMs()).toBe(0);
  });

  /** Lets time pass, in steps that let looks end. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      await new Promise(setImmediate);
    }
  };

  test('it is looked at seldom, and a letter of which nothing was told is found all the same', async () => {
    const address = await here.address('ann');
    const waiting = here.wait(address, never);
    await pass(60_100);
    // one soon, then every five seconds
    expect(steered.reads).toBe(13);
    steered.tells = false;
    await elsewhere.post(address, 'ann', 'hello');
    await pass(5_000);
    expect(await waiting).toBe('hello');
  });

  test('once telling fails it is looked at often, and when telling works again at once', async () => {
    const address = await here.address('ann');
    const waiting = here.wait(address, never);
    await pass(100);
    steered.link(false);
    await pass(60_000);
    expect(steered.reads).toBeGreaterThan(55);
    await elsewhere.post(address, 'ann', 'hello');
    steered.link(true);
    expect(await waiting).toBe('hello');
    expect(clock.monotonicMs()).toBe(60_100);
  });

  test('letters of others, told of by the thousand, are not kept', async () => {
    const address = await here.address('ann');
    await elsewhere.post(address, 'ann', 'early');
    for (let other = 0; other < 1_000; other++)
      await records.write([{ kind: 'letter', id: `1-${other}`, body: { text: { sealed: '' } } }]);
    const waiting = here.wait(address, never);
    const reads = steered.reads;
    await new Promise(setImmediate);
    expect(steered.reads).toBe(reads);
    await pass(100);
    expect(await waiting).toBe('early');
  });
});
