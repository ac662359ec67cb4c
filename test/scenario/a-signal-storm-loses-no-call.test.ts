import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLoad } from '../support/tls-load.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

const SIGNALS = 100;
const EVERY = 10;
let gateway: TlsPostern;
beforeAll(async () => void (gateway = await startTlsPostern()));
afterAll(() => gateway?.close());

const logged = (event: string) => gateway.process.stderr().split(`"event":"${event}"`).length - 1;

test('a hundred SIGHUPs in a second under load: no call fails, the newest certificate wins, few reloads are made', async () => {
  const certificates = await Promise.all(
    Array.from({ length: SIGNALS / EVERY }, (_, index) => gateway.issue(`storm-${index + 1}`)),
  );
  const load = startLoad(gateway, 6);
  await load.more(50);
  for (let index = 0; index < SIGNALS; index++) {
    const next = certificates[index / EVERY];
    if (next) await gateway.write('both.pem', next.bundlePem);
    gateway.process.signal('SIGHUP');
    await setTimeout(1000 / SIGNALS);
  }
  await expect.poll(() => gateway.presented()).toBe(`storm-${SIGNALS / EVERY}`);
  await load.more(50);
  expect(await load.stop()).toEqual([]);
  expect(gateway.process.stderr()).not.toContain('task.failed');
  expect(logged('rotation.written')).toBeGreaterThan(0);
  expect(logged('rotation.written')).toBeLessThan(SIGNALS / 5);
});
