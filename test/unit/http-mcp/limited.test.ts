import { expect, test } from 'vitest';
import { Cancellation } from '../../../src/base/cancel-signal.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { serverOf } from '../../../src/catalog/virtual-server.ts';
import { eventsAnswer } from '../../../src/http/mcp/answers.ts';
import { limited } from '../../../src/http/mcp/limited.ts';
import type { Exchange } from '../../../src/http/mcp/exchange.ts';
import { mintPrincipal } from '../../../src/identity/principal.ts';
import { Limiter } from '../../../src/limits/limiter.ts';
import { readLimits } from '../../../src/limits/short-form.ts';
import { decide } from '../../../src/policy/grant.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const principal = mintPrincipal({ subject: 'ann', role: 'user', method: 'token' });

/** A stream that is asked for, and how it goes on. */
async function open() {
  const limiter = new Limiter({ clock: new ManualClock(), events: () => undefined });
  limiter.use(readLimits('subject,concurrency=1'));
  const decision = decide(principal, { kind: 'mcp' });
  if (!decision.allowed) throw new Error(decision.reason);
  const signal = new Cancellation();
  const request = new Request('http://localhost/mcp');
  const exchange: Exchange = {
    request,
    server: serverOf({ key: 'x', address: 'x', members: [], transparent: false }),
    principal,
    grant: decision.grant,
    signal,
    text: '',
  };
  const source = new TransformStream<Uint8Array, Uint8Array>();
  const answer = await limited(limiter, exchange, undefined, async () =>
    eventsAnswer(source.readable, { 'x-kept': 'yes' }),
  );
  expect([limiter.running, answer.headers.get('x-kept')]).toEqual([1, 'yes']);
  const again = () => limited(limiter, exchange, undefined, () => Promise.reject(new Error('never')));
  await expect(again()).rejects.toThrow('the limit subject is reached');
  return { limiter, signal, writer: source.writable.getWriter(), body: answer.body as ReadableStream<Uint8Array> };
}

test('a stream is under way until it has ended', async () => {
  const { limiter, writer, body } = await open();
  void writer.write(new Uint8Array([1]));
  void writer.close();
  expect((await new Response(body).bytes()).length).toBe(1);
  expect(limiter.running).toBe(0);
});

test('or until it breaks off', async () => {
  const { limiter, writer, body } = await open();
  void writer.abort(new GatewayError('connection_lost', 'gone'));
  await expect(body.getReader().read()).rejects.toThrow('gone');
  expect(limiter.running).toBe(0);
});

test('or until nobody wants it', async () => {
  const { limiter, body } = await open();
  await body.cancel();
  expect(limiter.running).toBe(0);
});

test('or until its caller has left before anybody read of it', async () => {
  const { limiter, signal } = await open();
  signal.abort(new Error('left'));
  expect(limiter.running).toBe(0);
});
