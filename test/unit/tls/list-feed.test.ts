import { beforeAll, beforeEach, expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { derOfPem } from '../../../src/pki/pem.ts';
import type { FetchBytes } from '../../../src/tls/fetch-bytes.ts';
import { KeptLists } from '../../../src/tls/lists/kept-lists.ts';
import { ListFeeds } from '../../../src/tls/lists/list-feeds.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintPki, type MintedCa } from '../../support/pki.ts';
import { recordEvents, type RecordedEvents } from '../../support/recorded-events.ts';
import { until } from '../../support/until.ts';

const URL = 'http://crl.test/ca.crl';
const HOUR_MS = 3_600_000;
let ca: MintedCa;
let other: MintedCa;
beforeAll(async () => {
  const pki = await mintPki();
  [ca, other] = [await pki.ca('CA'), await pki.ca('Other')];
});

let clock: ManualClock;
let stored: Map<string, object>;
let events: RecordedEvents;
let answer: () => string | Uint8Array;
let fetched: number;
let news: number;
beforeEach(() => {
  clock = new ManualClock(Math.floor(Date.now() / 1000) * 1000);
  stored = new Map();
  events = recordEvents();
  fetched = 0;
  news = 0;
});

const listFrom = (atMs: number, forMs = 24 * HOUR_MS, of = ca) =>
  of.crl([], { thisUpdate: new Date(atMs), nextUpdate: new Date(atMs + forMs) });
const down = (): never => {
  throw new GatewayError('tcp_refused', 'nothing accepts connections');
};
function open(): ListFeeds {
  const fetchBytes: FetchBytes = async () => {
    fetched++;
    const text = answer();
    return typeof text === 'string' ? new TextEncoder().encode(text) : new Uint8Array(text);
  };
  const records = {
    get: async <T>(_: string, id: string) => {
      const body = stored.get(id) as T | undefined;
      return body && { id, body, version: '1', kid: 'k' };
    },
    write: async (changes: readonly { id: string; body: object | null }[]) => {
      for (const { id, body } of changes) stored.set(id, body ?? {});
      return true;
    },
  };
  return new ListFeeds({ fetchBytes, kept: new KeptLists(records), clock, events: events.sink, onNews: () => news++ });
}
const codes = () => events.of('revocation.failing').map(({ code }) => code);

test('DER and PEM are read, and fetched once for all who ask', async () => {
  const pem = await listFrom(clock.nowMs());
  answer = () => derOfPem(pem);
  const feeds = open();
  expect(await Promise.all([feeds.read(URL, [ca.certificate]), feeds.read(URL, [ca.certificate])])).toEqual([pem, pem]);
  expect([fetched, news]).toEqual([1, 0]);
  feeds.close();
});

test('it is fetched again after half its time, at least hourly, and what is new is told once', async () => {
  const [first, second] = [await listFrom(clock.nowMs(), 600_000), await listFrom(clock.nowMs() + 1000)];
  answer = () => first;
  const feeds = open();
  await feeds.read(URL, [ca.certificate]);
  clock.advance(299_000);
  expect(fetched).toBe(1);
  answer = () => second;
  clock.advance(1_000);
  await until(() => news === 1 && clock.pending === 1);
  expect(await feeds.read(URL, [ca.certificate])).toBe(second);
  for (let minute = 0; minute < 60; minute++) {
    expect(fetched).toBe(2);
    await feeds.read(URL, [ca.certificate]);
    clock.advance(60_000);
  }
  await until(() => fetched === 3);
  expect(news).toBe(1);
  feeds.close();
});

test.each([
  ['an older one', async () => listFrom(clock.nowMs() - HOUR_MS), 'crl_not_current'],
  ['one of another authority', async () => listFrom(clock.nowMs(), HOUR_MS, other), 'crl_missing'],
  [
    'one somebody else signed',
    async () => listFrom(clock.nowMs(), HOUR_MS, await (await mintPki()).ca('CA')),
    'crl_unreadable',
  ],
  ['garbage', async () => 'x'.repeat(100), 'crl_unreadable'],
] as const)('%s never takes its place, and is named', async (_, make, code) => {
  const good = await listFrom(clock.nowMs());
  answer = () => good;
  const feeds = open();
  await feeds.read(URL, [ca.certificate, other.certificate]);
  const bad = await make();
  answer = () => bad;
  await feeds.fetch();
  expect(await feeds.read(URL, [ca.certificate])).toBe(good);
  expect([codes(), news]).toEqual([[code], 0]);
  answer = () => good;
  await feeds.fetch();
  expect(events.count('revocation.recovered')).toBe(1);
  feeds.close();
});

test('a start while its server is down has what was kept, and other instances what one fetched', async () => {
  const [first, second] = [await listFrom(clock.nowMs()), await listFrom(clock.nowMs() + 1000)];
  answer = () => first;
  const one = open();
  await one.read(URL, [ca.certificate]);
  answer = down;
  const another = open();
  expect(await another.read(URL, [ca.certificate])).toBe(first);
  clock.advance(1000);
  answer = () => second;
  await one.fetch();
  answer = down;
  expect(await another.read(URL, [ca.certificate])).toBe(second);
  expect(codes()).toEqual([]);
  one.close();
  another.close();
});

test('nothing kept and nothing to fetch is an error, and is tried again', async () => {
  answer = down;
  const feeds = open();
  for (const _ of ['first', 'second'])
    await expect(feeds.read(URL, [ca.certificate])).rejects.toMatchObject({ code: 'crl_unavailable' });
  expect(fetched).toBe(1);
  const pem = await listFrom(clock.nowMs());
  answer = () => pem;
  clock.advance(30_000);
  await until(() => news === 1);
  expect(await feeds.read(URL, [ca.certificate])).toBe(pem);
  feeds.close();
});

test('a list nobody reads any more is not fetched any more', async () => {
  const pem = await listFrom(clock.nowMs());
  answer = () => pem;
  const feeds = open();
  await feeds.read(URL, [ca.certificate]);
  clock.advance(HOUR_MS);
  // takes as long as fetching the first again would
  await feeds.read(`${URL}?other`, [ca.certificate]);
  await feeds.read(`${URL}?third`, [ca.certificate]);
  expect([fetched, clock.pending]).toEqual([3, 2]);
  feeds.close();
});
