import { beforeAll, beforeEach, expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { OcspClient } from '../../../src/tls/ocsp/ocsp-client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type AnswerOptions, issueStatused, ocspResponse } from '../../support/ocsp-pki.ts';
import { mintPki, type MintedCa, type MintedCertificate } from '../../support/pki.ts';
import { recordEvents, type RecordedEvents } from '../../support/recorded-events.ts';

let ca: MintedCa;
let leaf: MintedCertificate;
beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  leaf = await issueStatused(ca, { cn: 'leaf', ocspUrl: 'http://ocsp.test/' });
});

let clock: ManualClock;
let events: RecordedEvents;
let asked: string[];
let answer: () => Promise<Uint8Array<ArrayBuffer>>;
let client: OcspClient;
beforeEach(() => {
  clock = new ManualClock(Math.floor(Date.now() / 1000) * 1000);
  events = recordEvents();
  asked = [];
  const fetchBytes = (url: string) => {
    asked.push(url);
    return answer();
  };
  client = new OcspClient({ fetchBytes, clock, events: events.sink });
});

const MINUTE_MS = 60_000;
const fromNow = (ms: number) => new Date(clock.nowMs() + ms);
const says = (options: AnswerOptions) => {
  const made = ocspResponse(leaf.certificate, ca, options);
  answer = () => made;
};
const down = (): void => {
  answer = () => Promise.reject(new GatewayError('upstream_timeout', 'nobody answered in time'));
};
const ask = async (stapled?: Uint8Array) =>
  (await client.ask({ certificate: leaf.certificate, issuer: ca.certificate, stapled })).status;

test('one answer does for all who ask while it holds', async () => {
  says({ nextUpdate: fromNow(10 * MINUTE_MS) });
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(['good', 'good', 'good']);
  clock.advance(9 * MINUTE_MS);
  expect(await ask()).toBe('good');
  expect(asked.length).toBe(1);
  expect(asked[0]).toMatch(/^http:\/\/ocsp\.test\/[\w%]+$/);
  clock.advance(MINUTE_MS);
  says({ status: 'revoked', thisUpdate: fromNow(0), nextUpdate: fromNow(MINUTE_MS) });
  expect([await ask(), asked.length]).toEqual(['revoked', 2]);
});

test('an old good answer is not taken after a newer one, and silence undoes no revocation', async () => {
  const old = await ocspResponse(leaf.certificate, ca, { nextUpdate: fromNow(60 * MINUTE_MS) });
  says({ status: 'revoked', thisUpdate: fromNow(0), nextUpdate: fromNow(MINUTE_MS) });
  expect(await ask()).toBe('revoked');
  clock.advance(2 * MINUTE_MS);
  answer = () => Promise.resolve(old);
  expect([await ask(), await ask(old)]).toEqual(['revoked', 'revoked']);
  expect(events.of('revocation.failing')).toMatchObject([{ source: 'http://ocsp.test/', kind: 'ocsp' }]);
  down();
  clock.advance(MINUTE_MS);
  expect(await ask()).toBe('revoked');
});

test('a responder that fails is told of once, asked again after a pause, and told of when it is back', async () => {
  down();
  expect([await ask(), await ask()]).toEqual(['unknown', 'unknown']);
  expect([asked.length, events.count('revocation.failing')]).toEqual([1, 1]);
  clock.advance(5_000);
  says({ nextUpdate: fromNow(MINUTE_MS) });
  expect([await ask(), asked.length, events.count('revocation.recovered')]).toEqual(['good', 2, 1]);
});

test('a good staple spares the question, and one of no use does not', async () => {
  says({});
  const stapled = await ocspResponse(leaf.certificate, ca, { nextUpdate: fromNow(MINUTE_MS) });
  expect([await ask(stapled), asked.length]).toEqual(['good', 0]);
  clock.advance(2 * MINUTE_MS);
  expect([await ask(stapled.slice(0, 50)), asked.length]).toEqual(['good', 1]);
});
