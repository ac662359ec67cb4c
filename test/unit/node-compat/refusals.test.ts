import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { expect, test } from 'vitest';
import { RUNTIME } from '#runtime';
import { openListener } from '../../../adapters/node-compat/listener/listener.ts';
import { refusalFor } from '../../../adapters/node-compat/listener/refusals.ts';
import { closeAfterEach } from '../../support/closing.ts';
import { listenerIdentity } from '../../support/listener-identity.ts';
import { mintPki } from '../../support/pki.ts';
import { rawExchange } from '../../support/raw-request.ts';
import { recordEvents } from '../../support/recorded-events.ts';

const closing = closeAfterEach();

async function listen(changed: Partial<ReturnType<typeof listenerIdentity>> = {}) {
  const server = await (await (await mintPki()).ca('Server CA')).issue({ cn: 'localhost', eku: 'server' });
  const recorded = recordEvents();
  const identity = { ...listenerIdentity(server), ...changed };
  const fetch = () => new Response('served');
  const listener = await openListener(RUNTIME, { host: '127.0.0.1', port: 0, identity, fetch, events: recorded.sink });
  closing.push(() => listener.close(0));
  return { port: listener.port, told: () => recorded.of('listener.refused') };
}

function shakeHands(port: number, options: ConnectionOptions): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.on('error', () => undefined).once('close', () => resolve());
  });
}

test('a handshake that fails before anything is decided says why', async () => {
  const modern = await listen({ minVersion: 'TLSv1.3' });
  await shakeHands(modern.port, { maxVersion: 'TLSv1.2' });
  await expect.poll(modern.told).toEqual([{ reason: 'version_unsupported', address: '127.0.0.1' }]);

  const narrow = await listen({ ciphers: ['ECDHE-ECDSA-AES256-GCM-SHA384'] });
  await shakeHands(narrow.port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
  await expect.poll(narrow.told).toEqual([{ reason: 'cipher_unsupported', address: '127.0.0.1' }]);
});

test('who speaks plain HTTP is refused, and who only goes away is not', async () => {
  const { port, told } = await listen();
  const answer = await rawExchange(`http://127.0.0.1:${port}`, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(answer).not.toContain('served');
  await expect.poll(told).toEqual([{ reason: 'tls_not_spoken', address: '127.0.0.1' }]);
  const gone = connectTcp(port, '127.0.0.1', () => gone.end('\x16\x03\x01'));
  await once(gone.resume(), 'close');
  const other = await listen();
  await rawExchange(`http://127.0.0.1:${other.port}`, 'SSH-2.0-x\r\n');
  await expect.poll(other.told).toEqual([{ reason: 'handshake_failed', address: '127.0.0.1' }]);
  expect(told()).toHaveLength(1);
});

test('what a verification may find has a reason, also what nobody thought of', () => {
  expect(['CERT_HAS_EXPIRED', 'CRL_HAS_EXPIRED', 'UNABLE_TO_GET_ISSUER_CERT', undefined].map(refusalFor)).toEqual([
    'certificate_expired',
    'certificate_unlisted',
    'certificate_untrusted',
    'certificate_untrusted',
  ]);
});
