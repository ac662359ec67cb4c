import { expect, test } from 'vitest';
import { FetchChannel } from '../../../adapters/cloudflare/dialer/fetch-channel.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const GET = { method: 'GET', path: '/', headers: {} };
const over = new GatewayError('connection_cut', 'cut');

/** A platform that hears of no abort: neither its answers nor its bodies end for one. */
function deafChannel(answers: boolean) {
  const never = new Promise<never>(() => {});
  const body = () => new ReadableStream({ pull: () => never, cancel: () => never });
  const clock = new ManualClock(0);
  const channel = new FetchChannel({
    origin: 'https://up.test',
    fingerprint: undefined,
    fetcher: { fetch: () => (answers ? Promise.resolve(new Response(body())) : never) },
    clock,
    headersTimeoutMs: 1000,
    onClosed: () => {},
  });
  return { channel, clock };
}

test('a request the platform does not let go of ends all the same', async () => {
  const { channel } = deafChannel(false);
  const sent = channel.send(GET);
  expect(channel.destroy(over)).toEqual({ connections: 1, requests: 1 });
  await expect(sent).rejects.toBe(over);
  expect(channel.active).toBe(0);
});

test('so does one without an answer in time', async () => {
  const { channel, clock } = deafChannel(false);
  const sent = channel.send(GET);
  clock.advance(1000);
  await expect(sent).rejects.toMatchObject({ code: 'upstream_timeout' });
});

test('and a body, whichever way it is read', async () => {
  const { channel } = deafChannel(true);
  const [text, body, stream] = await Promise.all([channel.send(GET), channel.send(GET), channel.send(GET)]);
  const reading = [text.text(10), body.body(10), stream.stream().getReader().read()];
  const unread = await channel.send(GET);
  channel.destroy(over);
  for (const read of reading) await expect(read).rejects.toBe(over);
  await expect(unread.text(10)).rejects.toBe(over);
  await expect(channel.send(GET)).rejects.toMatchObject({ code: 'channel_closed' });
});
