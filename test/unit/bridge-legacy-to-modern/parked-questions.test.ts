import { beforeEach, expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { Cancellation } from '../../../src/base/cancel-signal.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { ParkedQuestions } from '../../../src/bridge/legacy-to-modern/parked-questions.ts';
import { Mailbox } from '../../../src/session/mailbox.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintVault } from '../../support/vault.ts';

let clock: ManualClock;
let here: ParkedQuestions;
let elsewhere: ParkedQuestions;
beforeEach(async () => {
  const vault = await mintVault();
  const records = new RecordStore({ storage: openMemory(), sealer: vault, events: () => undefined });
  clock = new ManualClock();
  const parked = () =>
    new ParkedQuestions({ clock, mailbox: new Mailbox({ records, vault, clock }), maxCount: 2, timeoutMs: 600_000 });
  here = parked();
  elsewhere = parked();
});

const never = new Cancellation();
const answer = (id: string) => ({ jsonrpc: '2.0', id, result: { action: 'accept' } }) as const;

test('an answer finds its question, on this instance at once and on another through the store', async () => {
  for (const instance of [here, elsewhere]) {
    const id = await here.newId('session');
    const asked = here.ask(id, never);
    await instance.answer('session', answer(id));
    const settled = new Set<string>();
    void asked.then(() => settled.add(id));
    while (!settled.has(id)) {
      clock.advance(200);
      await new Promise(setImmediate);
    }
    expect(await asked).toEqual(answer(id));
  }
  expect(here.size).toBe(0);
});

test('an answer in another session, or to nothing that was asked, is refused', async () => {
  const id = await here.newId('session');
  await expect(here.answer('another', answer(id))).rejects.toMatchObject({ code: 'request_invalid' });
  await expect(here.answer('session', answer('made-up'))).rejects.toMatchObject({ code: 'request_invalid' });
  await expect(here.answer('session', { ...answer(id), id: 1 })).rejects.toMatchObject({ code: 'request_invalid' });
});

test('a question nobody answers ends, and so does one whose call ends', async () => {
  const late = here.ask(await here.newId('session'), never);
  const call = new Cancellation();
  const left = here.ask(await here.newId('session'), call);
  call.abort(new GatewayError('call_cancelled', 'gone'));
  await expect(left).rejects.toMatchObject({ code: 'call_cancelled' });
  clock.advance(600_000);
  await expect(late).rejects.toMatchObject({ code: 'question_unanswered', message: expect.stringContaining('600 s') });
  expect(here.size).toBe(0);
});

test('only so many are open at once', async () => {
  const call = new Cancellation();
  const ids = await Promise.all([1, 2, 3].map(() => here.newId('session')));
  const [first, second, third] = ids.map((id) => here.ask(id, call));
  await expect(third).rejects.toMatchObject({ code: 'bridge_busy' });
  call.abort(new GatewayError('call_cancelled', 'gone'));
  await expect(Promise.all([first, second])).rejects.toMatchObject({ code: 'call_cancelled' });
  await expect.poll(() => here.size).toBe(0);
});
