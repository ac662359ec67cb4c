import { beforeEach, expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { IssuerKeys } from '../../../src/identity/issuers/issuer-keys.ts';
import type { Fetched } from '../../../src/identity/issuers/json-fetcher.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import type { RecordedEvents } from '../../support/recorded-events.ts';
import { issueKey } from '../../support/token-issuer.ts';

const [first, second] = [await issueKey('ES256', 'first'), await issueKey('ES256', 'second')];
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
let clock: ManualClock;
let events: RecordedEvents;
let keys: IssuerKeys;
let asked: number;
let changes: number;
let answer: (signal: AbortSignal) => Promise<Fetched>;
const publish = (published: readonly object[], maxAgeMs?: number): void => {
  answer = () => Promise.resolve({ body: { keys: published }, maxAgeMs });
};
const fail = (): void => {
  answer = () => Promise.reject(new GatewayError('tcp_refused', 'nobody listens'));
};
const kids = async (kid?: string) => (await keys.find(kid, 'ES256')).length;

beforeEach(() => {
  clock = new ManualClock();
  events = recordEvents();
  [asked, changes] = [0, 0];
  publish([first.publicJwk]);
  keys = new IssuerKeys({
    issuer: 'https://issuer.example.com',
    fetchKeys: (signal) => {
      asked++;
      return answer(signal);
    },
    clock,
    events: events.sink,
    onChange: () => void changes++,
  });
});

test('keys are fetched when they are needed, once for all who wait, and again after their time', async () => {
  expect(asked).toBe(0);
  expect(await Promise.all([kids('first'), kids('first'), kids()])).toEqual([1, 1, 1]);
  expect(asked).toBe(1);
  clock.advance(10 * MINUTE_MS - 1);
  await kids('first');
  expect(asked).toBe(1);
  clock.advance(1);
  await kids('first');
  expect([asked, changes]).toEqual([2, 0]);
});

test.each([
  [0, MINUTE_MS],
  [20 * MINUTE_MS, 20 * MINUTE_MS],
  [1000 * HOUR_MS, HOUR_MS],
])('what the issuer says of %i ms is taken for %i ms', async (maxAgeMs, takenMs) => {
  publish([first.publicJwk], maxAgeMs);
  await kids('first');
  clock.advance(takenMs - 1);
  await kids('first');
  expect(asked).toBe(1);
  clock.advance(1);
  await kids('first');
  expect(asked).toBe(2);
});

test('an unknown name has them fetched once more, and not again and again', async () => {
  await kids('first');
  clock.advance(MINUTE_MS);
  publish([second.publicJwk]);
  expect(await kids('second')).toBe(1);
  expect([asked, changes]).toEqual([2, 1]);
  for (let n = 0; n < 100; n++) expect(await kids(`made-up-${n}`)).toBe(0);
  expect(asked).toBe(2);
  expect(await kids('first')).toBe(0);
});

test('while the issuer is down they are used for an hour more, then nothing is', async () => {
  await kids('first');
  fail();
  clock.advance(10 * MINUTE_MS);
  expect(await kids('first')).toBe(1);
  expect(asked).toBe(2);
  // not asked again at once
  expect(await kids('first')).toBe(1);
  expect(asked).toBe(2);
  clock.advance(HOUR_MS - 1);
  expect(await kids('first')).toBe(1);
  clock.advance(1);
  await expect(kids('first')).rejects.toMatchObject({ code: 'issuer_unavailable' });
  expect(events.of('issuer.failed')[0]).toMatchObject({ code: 'tcp_refused', message: 'nobody listens' });
  publish([first.publicJwk]);
  clock.advance(MINUTE_MS);
  expect(await kids('first')).toBe(1);
  expect(events.of('issuer.read').length).toBe(2);
});

test('one that never was there is refused, as is one that takes too long', async () => {
  fail();
  await expect(kids('first')).rejects.toMatchObject({ code: 'issuer_unavailable' });
  clock.advance(MINUTE_MS);
  let wasEnded = false;
  answer = (signal) =>
    new Promise(() => {
      signal.addEventListener('abort', () => (wasEnded = true));
    });
  const waiting = kids('first').catch((error: unknown) => error);
  clock.advance(5_000);
  expect(await waiting).toMatchObject({ code: 'issuer_unavailable' });
  expect(wasEnded).toBe(true);
  expect(events.of('issuer.failed').at(-1)).toMatchObject({ code: 'upstream_timeout' });
});
