import { expect, test } from 'vitest';
import { ListingWatch } from '../../../src/upstream/listing-watch.ts';
import type { WatchEnd, WatchListener } from '../../../src/upstream/listing-watch.ts';
import type { ListingMethod } from '../../../src/wire/mcp.ts';
import { ManualClock } from '../../support/manual-clock.ts';

interface Stream {
  readonly listener: WatchListener;
  readonly signal: AbortSignal;
  readonly openedMs: number;
  end(how: WatchEnd): Promise<void>;
  fail(): Promise<void>;
}

function startWatch() {
  const clock = new ManualClock();
  const streams: Stream[] = [];
  const told: string[] = [];
  const tell = (what: string) => (methods: readonly ListingMethod[]) => void told.push(`${what} ${methods.join()}`);
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const watch = new ListingWatch({
    clock,
    random: () => 1,
    listener: { opened: tell('opened'), changed: tell('changed') },
    follow: (listener, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<WatchEnd>();
      streams.push({
        listener,
        signal,
        openedMs: clock.monotonicMs(),
        end: (how) => {
          resolve(how);
          return settle();
        },
        fail: () => {
          reject(new Error('lost'));
          return settle();
        },
      });
      return promise;
    },
  });
  const last = (): Stream => streams.at(-1) as Stream;
  return { clock, watch, streams, told, last, settle };
}

test('while a stream stands its listings are covered and no timer runs', () => {
  const { clock, watch, streams, told, last } = startWatch();
  expect(streams).toHaveLength(0);
  watch.start();
  watch.start();
  expect(streams).toHaveLength(1);
  expect(watch.covers('tools/list')).toBe(false);
  last().listener.opened(['tools/list']);
  last().listener.changed(['tools/list']);
  expect(told).toEqual(['opened tools/list', 'changed tools/list']);
  expect(watch.covers('tools/list')).toBe(true);
  expect(watch.covers('prompts/list')).toBe(false);
  expect(clock.pending).toBe(0);
});

test('a stream that ends is opened again, later each time; one that stood for long starts anew', async () => {
  const { clock, watch, streams, last, settle } = startWatch();
  watch.start();
  for (const pauseMs of [1000, 2000, 4000]) {
    last().listener.opened(['tools/list']);
    await last().fail();
    expect(watch.covers('tools/list')).toBe(false);
    clock.advance(pauseMs - 1);
    await settle();
    const { length } = streams;
    clock.advance(1);
    await settle();
    expect(streams).toHaveLength(length + 1);
  }
  clock.advance(30_000);
  await last().end('ended');
  clock.advance(1000);
  await settle();
  expect(streams).toHaveLength(5);
});

test('an upstream that refuses is left alone until it was connected or lost anew', async () => {
  const { clock, watch, streams, last, settle } = startWatch();
  watch.start();
  await last().end('refused');
  watch.start();
  expect([streams.length, clock.pending]).toEqual([1, 0]);
  watch.forgetRefusal();
  watch.start();
  await last().end('refused');
  watch.restart();
  await settle();
  expect(streams).toHaveLength(3);
});

test('what is stopped says nothing more and comes back only when started', async () => {
  const { clock, watch, streams, told, last, settle } = startWatch();
  watch.start();
  const { listener, signal } = last();
  watch.stop();
  expect(signal.aborted).toBe(true);
  listener.opened(['tools/list']);
  listener.changed(['tools/list']);
  watch.restart();
  await last().end('ended');
  clock.advance(120_000);
  await settle();
  expect([told, streams.length, clock.pending]).toEqual([[], 1, 0]);
});

test('stopping ends a pause too', async () => {
  const { clock, watch, last, settle } = startWatch();
  watch.start();
  await last().fail();
  expect(clock.pending).toBe(1);
  watch.stop();
  await settle();
  expect(clock.pending).toBe(0);
});
