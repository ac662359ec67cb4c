import { beforeEach, describe, expect, test } from 'vitest';
import { ParkedCalls } from '../../../src/bridge/modern-to-legacy/parked-calls.ts';
import type { ParkedCallsOptions } from '../../../src/bridge/modern-to-legacy/parked-calls.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import type { Fields } from '../../../src/base/fields.ts';
import type { Tell, Turn } from '../../../src/bridge/modern-to-legacy/waiting-call.ts';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { Mailbox } from '../../../src/session/mailbox.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintVault } from '../../support/vault.ts';

const vault = await mintVault();
const binding = { subject: 'ann', server: 's', upstream: 'u', method: 'tools/call', target: 'ask' };
const refused = (code: string) => expect.objectContaining({ code });

let clock: ManualClock;
let records: RecordStore;
let parked: ParkedCalls;
/** Another instance over the same store. */
const open = (more: Partial<ParkedCallsOptions> = {}) =>
  new ParkedCalls({ vault, clock, mailbox: new Mailbox({ records, vault, clock }), ...more });

beforeEach(() => {
  clock = new ManualClock();
  records = new RecordStore({ storage: openMemory(), sealer: vault, events: () => undefined });
  parked = open();
});

function fakeCall() {
  const cancelled: GatewayError[] = [];
  return {
    cancelled,
    next: () => Promise.reject(new Error('not asked')),
    answer: () => Promise.resolve(),
    cancel: async (reason: GatewayError) => void cancelled.push(reason),
  };
}

test('a state leads back to its call, once', async () => {
  const call = fakeCall();
  const state = await parked.park(call, binding);
  expect(await parked.take(state, binding)).toBe(call);
  await expect(parked.take(state, binding)).rejects.toEqual(refused('request_state_expired'));
  expect(call.cancelled).toEqual([]);
  expect(clock.pending).toBe(0);
});

describe('a state is worth nothing', () => {
  for (const [field, value] of [
    ['subject', 'bob'],
    ['server', 'other'],
    ['upstream', 'other'],
    ['method', 'prompts/get'],
    ['target', 'other'],
  ] as const)
    test(`with another ${field}, and leaves the call where it is`, async () => {
      const state = await parked.park(fakeCall(), binding);
      const foreign = parked.take(state, { ...binding, [field]: value });
      await expect(foreign).rejects.toEqual(refused('request_state_invalid'));
      expect(parked.count).toBe(1);
    });

  test('when it was changed, made up, or sealed for something else', async () => {
    const state = await parked.park(fakeCall(), binding);
    const sealed = await vault.sealToken({ ...binding, id: 'x' }, 'mcp-session');
    const flipped = state.slice(0, -2) + (state.endsWith('AA') ? 'BB' : 'AA');
    for (const made of [`${state}x`, flipped, 'x', '', sealed, 'y'.repeat(1_000_000)])
      await expect(parked.take(made, binding)).rejects.toEqual(refused('request_state_invalid'));
  });
});

describe('a state at another instance', () => {
  /** A call that asks twice and then answers with what it was told, and hears of its end. */
  function askingTwice() {
    const answers: object[] = [];
    return {
      ...fakeCall(),
      answer: async (inputResponses: Fields) => void answers.push(inputResponses),
      next: async (tell: Tell): Promise<Turn> => {
        tell({ jsonrpc: '2.0', method: `heard ${answers.length}` });
        if (answers.length < 2) return { kind: 'asks', inputRequests: { again: {} } };
        return { kind: 'answered', answer: { jsonrpc: '2.0', id: 1, result: { answers } } };
      },
    };
  }

  // what instances write to each other is sealed, which takes its own time
  const instance = () => open({ clock: systemClock, mailbox: new Mailbox({ records, vault, clock: systemClock }) });

  test('leads to the call all the same, and so does the next one from a third', async () => {
    const [first, second, third] = [instance(), instance(), instance()];
    const heard: unknown[] = [];
    const tell: Tell = ({ method }) => void heard.push(method);
    const remote = await second.take(await first.park(askingTwice(), binding), binding);
    await remote.answer({ a: 1 });
    expect(await remote.next(tell)).toEqual({ kind: 'asks', inputRequests: { again: {} } });
    const further = await third.take(await second.park(remote, binding), binding);
    await further.answer({ b: 2 });
    expect(await further.next(tell)).toMatchObject({
      answer: { result: { answers: [{ a: 1 }, { b: 2 }] } },
    });
    expect(heard).toEqual(['heard 1', 'heard 2']);
    expect([first.count, second.count, third.count]).toEqual([0, 0, 0]);
    expect(await records.ids('letter')).toEqual([]);
  });

  test('tells why there will be no answer', async () => {
    const call = { ...fakeCall(), next: () => Promise.reject(new GatewayError('upstream_session_lost', 'gone')) };
    const remote = await instance().take(await instance().park(call, binding), binding);
    await remote.answer({});
    await expect(remote.next(() => undefined)).rejects.toEqual(refused('upstream_session_lost'));
  });

  test('ends the call when the caller leaves there', async () => {
    const cancelled = Promise.withResolvers<GatewayError>();
    const call = {
      ...fakeCall(),
      next: () => new Promise<never>(() => undefined),
      cancel: async (reason: GatewayError) => cancelled.resolve(reason),
    };
    const remote = await instance().take(await instance().park(call, binding), binding);
    await remote.answer({});
    await remote.cancel(new GatewayError('call_cancelled', 'the caller left'));
    expect(await cancelled.promise).toMatchObject({ message: 'the caller left' });
  });

  test('says so when the instance that held the call is gone', async () => {
    const state = await parked.park(fakeCall(), binding);
    await parked.close();
    const remote = await open().take(state, binding);
    const answering = expect(remote.answer({})).rejects.toEqual(refused('request_state_expired'));
    while (clock.pending === 0 || (await records.ids('letter')).length === 0) await new Promise(setImmediate);
    clock.advance(5_000);
    await answering;
  });
});

test('a call waits ten minutes, then it is ended', async () => {
  const call = fakeCall();
  const state = await parked.park(call, binding);
  clock.advance(599_999);
  expect(call.cancelled).toEqual([]);
  clock.advance(1);
  expect(call.cancelled).toEqual([refused('request_state_expired')]);
  await expect(parked.take(state, binding)).rejects.toEqual(refused('request_state_expired'));
});

test('of one subject only so many wait: the oldest gives way, the calls of others do not', async () => {
  parked = open({ maxPerSubjectCount: 2 });
  const others = fakeCall();
  await parked.park(others, { ...binding, subject: 'bob' });
  const calls = [fakeCall(), fakeCall(), fakeCall()];
  for (const call of calls) await parked.park(call, binding);
  expect(calls.map(({ cancelled }) => cancelled.length)).toEqual([1, 0, 0]);
  expect(others.cancelled).toEqual([]);
});

test('beyond the bound of all a call is refused and ended', async () => {
  parked = open({ maxCount: 1 });
  await parked.park(fakeCall(), binding);
  const call = fakeCall();
  await expect(parked.park(call, { ...binding, subject: 'bob' })).rejects.toEqual(refused('bridge_busy'));
  expect(call.cancelled).toHaveLength(1);
});

test('a stop ends all that wait and takes no more', async () => {
  const waiting = fakeCall();
  await parked.park(waiting, binding);
  await parked.close();
  const late = fakeCall();
  await expect(parked.park(late, binding)).rejects.toEqual(refused('shutting_down'));
  expect([...waiting.cancelled, ...late.cancelled]).toEqual([refused('shutting_down'), refused('shutting_down')]);
  expect(clock.pending).toBe(0);
});
