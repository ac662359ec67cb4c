import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { RUNTIME } from '#runtime';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import { Callers } from '../../../adapters/node-compat/listener/callers.ts';
import { mintPki } from '../../support/pki.ts';
import { recordEvents } from '../../support/recorded-events.ts';

test('what cannot be read as a certificate is refused, and ends no more than its own connection', async () => {
  const { certificate } = await (await mintPki()).ca('Callers');
  const recorded = recordEvents();
  const trust = { anchors: [certificate], unrooted: undefined, crls: [], nextUpdate: undefined, isRequired: false };
  const { tls: traits } = RUNTIME;
  const callers = new Callers({ trust, traits, handshakeMs: 1000, clock: systemClock, events: recorded.sink });
  const shown = {
    authorized: true,
    remoteAddress: '::ffff:192.0.2.1',
    getPeerCertificate: () => ({ raw: Buffer.from('x') }),
  };
  expect(callers.admit(Object.assign(new EventEmitter(), shown) as unknown as TLSSocket)).toBe(false);
  expect(recorded.of('listener.refused')).toEqual([{ reason: 'certificate_untrusted', address: '192.0.2.1' }]);
});
