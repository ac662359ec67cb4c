import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

const [FOR_1_2, FOR_1_3] = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const;
let gateway: TlsPostern;
beforeAll(async () => {
  gateway = await startTlsPostern({ args: ['--tls-ciphers', `${FOR_1_2}:${FOR_1_3}`] });
});
afterAll(() => gateway?.close());

/** The suite of a handshake; what was wrong where there was none. */
function spoken(version: 'TLSv1.2' | 'TLSv1.3', ciphers?: string): Promise<string> {
  return new Promise((resolve) => {
    const port = Number(new URL(gateway.source.url).port);
    const versions = { minVersion: version, maxVersion: version, ...(ciphers !== undefined && { ciphers }) };
    const socket = connect({ ...gateway.tls(), port, host: '127.0.0.1', servername: 'localhost', ...versions });
    socket.once('secureConnect', () => {
      resolve(socket.getCipher().name);
      socket.destroy();
    });
    socket.once('error', ({ message }) => resolve(message));
  });
}

async function expectOnlyThose(): Promise<void> {
  expect([await spoken('TLSv1.2'), await spoken('TLSv1.3')]).toEqual([FOR_1_2, FOR_1_3]);
  expect(await spoken('TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256')).toMatch(/handshake failure/i);
  expect(await spoken('TLSv1.3', 'TLS_AES_256_GCM_SHA384')).toMatch(/handshake failure/i);
}

test('in each version of TLS, also with the next certificate', async () => {
  await expectOnlyThose();
  await gateway.write('both.pem', (await gateway.issue('second')).bundlePem);
  gateway.process.signal('SIGHUP');
  await gateway.process.logged('listener.reloaded');
  expect(await gateway.presented()).toBe('second');
  await expectOnlyThose();
});
