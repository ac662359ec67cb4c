import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Subscription } from '../../../adapters/node-compat/storage/subscription.ts';
import type { Listen, Listening } from '../../../adapters/node-compat/storage/subscription.ts';
import { closeAfterEach } from '../../support/closing.ts';
import { until } from '../../support/until.ts';

const closing = closeAfterEach();
const ignore = (): void => undefined;

function open(listen: Listen): Subscription {
  const subscription = new Subscription(listen);
  closing.push(() => subscription.close());
  return subscription;
}

const untilOver = async ({ signal }: Listening): Promise<void> => void (await once(signal, 'abort'));

test('one that is lost is begun again soon, one that is refused much later', async () => {
  const begun = { lost: 0, refused: 0 };
  const lost = open(async () => {
    begun.lost++;
    throw new Error('lost');
  });
  const refused = open(async () => {
    begun.refused++;
    return 'refused';
  });
  refused.watch(ignore, () => expect.fail());
  lost.watch(ignore, () => expect.fail());
  await until(() => begun.lost === 6);
  expect(begun.refused).toBe(1);
});

test('pauses grow while it is lost again and again, to a second', async () => {
  const begunMs: number[] = [];
  const flapping = open(async ({ up }) => {
    begunMs.push(performance.now());
    up();
  });
  flapping.watch(ignore, ignore);
  await until(() => begunMs.length === 6);
  const spanMs = (begunMs[5] ?? 0) - (begunMs[0] ?? 0);
  // 100, 200, 400, 800 and 1,000 ms, each shorter by up to a half
  expect(spanMs).toBeGreaterThan(1_245);
});

test('one connection serves all, as long as somebody watches', async () => {
  let standing = 0;
  let begun = 0;
  const subscription = open(async (listening) => {
    standing++;
    begun++;
    listening.up();
    await untilOver(listening);
    standing--;
  });
  expect(begun).toBe(0);
  const stops = [1, 2, 3].map(() => subscription.watch(ignore, ignore));
  await until(() => standing === 1);
  for (const stop of stops.slice(1)) stop();
  expect([standing, begun]).toEqual([1, 1]);
  for (const stop of stops) stop();
  await until(() => standing === 0);
  subscription.watch(ignore, ignore);
  await until(() => standing === 1);
  expect(begun).toBe(2);
  await subscription.close();
  expect(standing).toBe(0);
});

test('whoever comes while another connection ends is served by the next', async () => {
  const links: boolean[] = [];
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const tells: Listening['tell'][] = [];
  const subscription = open(async (listening) => {
    const index = tells.push(listening.tell) - 1;
    listening.up();
    await untilOver(listening);
    await ends[index]?.promise;
  });
  const stop = subscription.watch(ignore, ignore);
  await until(() => tells.length === 1);
  stop();
  const told: (readonly string[])[] = [];
  subscription.watch(
    (keys) => void told.push(keys),
    (up) => void links.push(up),
  );
  tells[0]?.(['gateway:late']);
  expect(told).toEqual([]);
  ends[0]?.resolve();
  await until(() => tells.length === 2);
  tells[1]?.(['gateway:new']);
  expect(told).toEqual([['gateway:new']]);
  expect(links.at(-1)).toBe(true);
  ends[1]?.resolve();
});
