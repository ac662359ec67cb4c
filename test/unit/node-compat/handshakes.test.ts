/** What a listener tells of handshakes, by what the caller showed and whether it had to. */
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import { readListenerIdentity } from '../../../adapters/node-compat/listener/identity.ts';
import { openListener } from '../../../adapters/node-compat/listener/listener.ts';
import { openKey } from '../../../adapters/node-compat/open-key.ts';
import { NODE } from '../../../adapters/node/runtime.ts';
import { parseConfig } from '../../../src/config.ts';
import { closeAfterEach } from '../../support/closing.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../../support/pki.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';
import { writeFile } from 'node:fs/promises';

const DAY_MS = 86_400_000;
let ca: MintedCa;
let callers: Readonly<Record<string, MintedCertificate | undefined>>;
beforeAll(async () => {
  const pki = await mintPki();
  ca = await pki.ca('CA');
  callers = {
    good: await ca.issue({ cn: 'good', eku: 'client' }),
    strange: await (await pki.ca('Other')).issue({ cn: 'strange', eku: 'client' }),
    expired: await ca.issue({
      cn: 'expired',
      eku: 'client',
      notBefore: new Date(Date.now() - 2 * DAY_MS),
      notAfter: new Date(Date.now() - DAY_MS),
    }),
    none: undefined,
  };
});
const closing = closeAfterEach();

async function told(
  event: 'listener.handshake' | 'listener.refused',
  clientAuth: string,
  name: string,
  options: ConnectionOptions = {},
) {
  const folder = await makeTempFolder();
  closing.push(() => folder.remove());
  const server = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
  await writeFile(`${folder.path}/both.pem`, server.bundlePem);
  await writeFile(`${folder.path}/ca.pem`, ca.pem);
  const environment = {
    CERT_FILE: `${folder.path}/both.pem`,
    CERT_REQS: clientAuth,
    ...(clientAuth !== 'none' && { CA_CERTS: `${folder.path}/ca.pem` }),
  };
  const identity = await readListenerIdentity(parseConfig({ environment }).values, openKey, systemClock);
  const recorded = recordEvents();
  const { sink: events } = recorded;
  const listener = await openListener(NODE, {
    host: '127.0.0.1',
    port: 0,
    identity,
    events,
    fetch: () => new Response(),
  });
  closing.push(() => listener.close(0).then(() => undefined));
  const caller = callers[name];
  const shown = caller && { cert: caller.chainPem, key: caller.keyPem };
  const socket = connect({
    port: listener.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: ca.pem,
    ...shown,
    ...options,
  });
  socket.on('error', () => undefined);
  await until(() => recorded.count(event) > 0);
  socket.destroy();
  if (!socket.closed) await once(socket, 'close');
  return recorded.of(event);
}

const address = '127.0.0.1';

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: a caller that is let in, with what it showed', async (version) => {
  const versions = { minVersion: version, maxVersion: version };
  const sha256 = callers['good']?.certificate.facts.sha256;
  for (const clientAuth of ['optional', 'required'])
    expect(await told('listener.handshake', clientAuth, 'good', versions)).toEqual([
      { address, protocol: version, subject: 'CN=good', issuer: 'CN=CA', sha256 },
    ]);
  for (const clientAuth of ['none', 'optional'])
    expect(await told('listener.handshake', clientAuth, 'none', versions)).toEqual([{ address, protocol: version }]);
});

test.each([
  ['optional', 'strange', 'certificate_untrusted'],
  ['required', 'strange', 'certificate_untrusted'],
  ['required', 'expired', 'certificate_expired'],
])('where certificates are %s, a caller that is refused: %s', async (clientAuth, name, reason) => {
  expect(await told('listener.refused', clientAuth, name)).toEqual([{ address, subject: `CN=${name}`, reason }]);
});

test('one that shows nothing where it must, and one whose version is too old', async () => {
  expect(await told('listener.refused', 'required', 'none')).toEqual([{ address, reason: 'certificate_missing' }]);
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  expect(await told('listener.refused', 'none', 'none', old)).toEqual([{ address, reason: 'version_unsupported' }]);
});
