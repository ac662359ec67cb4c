import { afterAll, beforeAll, expect, test } from 'vitest';
import { tickOverHttp2, tickOverSse, tickOverWebSocket } from '../support/ticking.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

let gateway: TlsPostern;
beforeAll(async () => void (gateway = await startTlsPostern()));
afterAll(() => gateway?.close());

test('SIGHUP after SIGTERM: calls in flight go on to their end, and the process ends with 0', async () => {
  const { source, process, ticker } = gateway;
  const streams = [await tickOverSse(source), await tickOverWebSocket(source), await tickOverHttp2(source)];
  process.signal('SIGTERM');
  await process.logged('gateway.stopping');
  for (const cn of ['second', 'third']) {
    await gateway.write('both.pem', (await gateway.issue(cn)).bundlePem);
    process.signal('SIGHUP');
    await Promise.all(streams.map((stream) => stream.more(5)));
  }
  await gateway.write('both.pem', 'no certificate at all');
  process.signal('SIGHUP');
  await Promise.all(streams.map((stream) => stream.more(5)));
  await expect(gateway.presented()).rejects.toThrow();

  ticker.finish();
  for (const { ended, ticks } of streams) {
    const last = Number(await ended);
    expect(ticks).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  }
  expect(await process.exited).toBe(0);
  expect(await process.logged('gateway.stopped')).toMatchObject({ cut: 0 });
  expect(process.stderr()).not.toContain('task.failed');
});
