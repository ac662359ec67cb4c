import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tickOverHttp2 } from '../support/ticking.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

let gateway: TlsPostern;
beforeAll(async () => void (gateway = await startTlsPostern()));
afterAll(() => gateway?.close());

async function statusOver(session: ClientHttp2Session): Promise<unknown> {
  const [headers] = (await once(session.request({ ':path': '/health' }), 'response')) as [Record<string, unknown>];
  return headers[':status'];
}

test('an HTTP/2 connection goes on, with its streams and with new ones; the next one sees the new certificate', async () => {
  const stream = await tickOverHttp2(gateway.source);
  expect(stream.session.alpnProtocol).toBe('h2');
  for (const cn of ['second', 'third']) {
    await gateway.write('both.pem', (await gateway.issue(cn, { keyType: 'rsa2048' })).bundlePem);
    gateway.process.signal('SIGHUP');
    await expect.poll(() => gateway.presented()).toBe(cn);
    await stream.more(10);
    expect(await statusOver(stream.session)).toBe(200);
  }
  const next = connect(gateway.source.url, { ...gateway.tls() } as object);
  await once(next, 'connect');
  expect([next.alpnProtocol, await statusOver(next)]).toEqual(['h2', 200]);
  next.destroy();

  gateway.ticker.finish();
  const last = Number(await stream.ended);
  expect(stream.ticks).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  stream.close();
});
