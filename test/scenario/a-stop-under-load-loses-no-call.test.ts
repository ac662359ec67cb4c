import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLoad } from '../support/tls-load.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

let gateway: TlsPostern;
beforeAll(async () => void (gateway = await startTlsPostern()));
afterAll(() => gateway?.close());

test('SIGTERM under load: every call that was accepted is answered, and the process ends with 0', async () => {
  const load = startLoad(gateway, 12);
  await load.more(100);
  gateway.process.signal('SIGTERM');
  await gateway.process.logged('gateway.stopping');
  expect(await gateway.process.exited).toBe(0);
  const failed = await load.stop();
  const accepted = gateway.upstream
    .requestsOf('tools/call')
    .map(({ params }) => (params?.['arguments'] as { text?: string } | undefined)?.text ?? '');
  expect(accepted.length).toBeGreaterThan(100);
  expect(accepted.filter((text) => !load.answered.has(text))).toEqual([]);
  expect(failed.filter(({ text }) => accepted.includes(text))).toEqual([]);
  expect(await gateway.process.logged('gateway.stopped')).toMatchObject({ cut: 0 });
});
