import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { bridge } from '../../../adapters/node-compat/cli/connect/bridge.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('one that is to stop before it began ends at once, though its client says nothing', async () => {
  const input = new PassThrough();
  const outcome = await bridge({
    input,
    output: new PassThrough(),
    send: () => Promise.reject(new Error('nothing is to be sent')),
    clock: new ManualClock(),
    stop: AbortSignal.abort(),
    log: () => undefined,
  });
  expect(outcome).toBeUndefined();
  input.end();
});
