import { beforeAll, beforeEach, expect, test } from 'vitest';
import { StapleKeeper } from '../../../src/tls/ocsp/staple-keeper.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type AnswerOptions, issueStatused, ocspResponse } from '../../support/ocsp-pki.ts';
import { mintPki, type MintedCa, type MintedCertificate } from '../../support/pki.ts';
import { recordEvents, type RecordedEvents } from '../../support/recorded-events.ts';
import { until } from '../../support/until.ts';

const MINUTE_MS = 60_000;
let ca: MintedCa;
let leaf: MintedCertificate;
let unnamed: MintedCertificate;
beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  leaf = await issueStatused(ca, { cn: 'leaf', ocspUrl: 'http://ocsp.test' });
  unnamed = await issueStatused(ca, { cn: 'unnamed', mustStaple: true });
});

let clock: ManualClock;
let events: RecordedEvents;
let asked: number;
let answer: () => Promise<Uint8Array<ArrayBuffer>>;
let keeper: StapleKeeper;
beforeEach(() => {
  clock = new ManualClock(Math.floor(Date.now() / 1000) * 1000);
  events = recordEvents();
  asked = 0;
  const fetchBytes = () => {
    asked++;
    return answer();
  };
  keeper = new StapleKeeper({ fetchBytes, clock, events: events.sink });
});
const says = async (options: AnswerOptions) => {
  const made = await ocspResponse(leaf.certificate, ca, options);
  answer = () => Promise.resolve(made);
  return made;
};
const keep = () => keeper.keep([leaf.certificate, ca.certificate]);
const held = () => keeper.of(leaf.certificate.der);

test('it is there before it is shown, fetched again after half of its time, and gone when it is over', async () => {
  const first = await says({ nextUpdate: new Date(clock.nowMs() + 10 * MINUTE_MS) });
  await keep();
  await keep();
  expect([held(), keeper.of(unnamed.certificate.der), asked]).toEqual([first, undefined, 1]);
  answer = () => Promise.reject(new Error('down'));
  clock.advance(5 * MINUTE_MS);
  await until(() => events.count('revocation.failing') === 1);
  expect([held(), asked]).toEqual([first, 2]);
  await until(() => clock.pending === 1);
  clock.advance(5 * MINUTE_MS);
  expect(held()).toBeUndefined();
});

test('that our certificate was revoked is said, and not shown', async () => {
  await says({ status: 'revoked' });
  await keep();
  expect([held(), events.of('revocation.failing')[0]?.message]).toEqual([
    undefined,
    'no status can be stapled: the responder calls our certificate revoked',
  ]);
});

test('whoever cannot be asked about is named', async () => {
  await keeper.keep([unnamed.certificate, ca.certificate]);
  await keeper.keep([leaf.certificate]);
  const messages = events.of('revocation.failing').map(({ message }) => message);
  expect(messages).toEqual([
    expect.stringContaining('names no OCSP responder; it says that clients must refuse it without a staple'),
    expect.stringContaining('the certificate of its issuer is not in the file'),
  ]);
  expect(asked).toBe(0);
});

test('a responder that is silent is not waited for', async () => {
  answer = () => new Promise(() => undefined);
  const kept = keep();
  await until(() => asked === 1);
  clock.advance(1_000);
  await kept;
  expect(held()).toBeUndefined();
});
