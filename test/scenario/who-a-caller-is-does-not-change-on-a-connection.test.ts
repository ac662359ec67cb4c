/** TLS 1.2 lets a client begin a second handshake on its connection, and show another certificate in it. */
import { once } from 'node:events';
import { connect } from 'node:tls';
import { RUNTIME } from '#runtime';
import { beforeAll, expect, test } from 'vitest';
import type { ListenerIdentity } from '../../adapters/node-compat/listener/identity.ts';
import { openListener } from '../../adapters/node-compat/listener/listener.ts';
import { openCallerAnchors } from '../../src/tls/caller-trust.ts';
import { closeAfterEach } from '../support/closing.ts';
import { listenerIdentity } from '../support/listener-identity.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';

const closing = closeAfterEach();
let ca: MintedCa;
let server: MintedCertificate;
let ann: MintedCertificate;
beforeAll(async () => {
  ca = await (await mintPki()).ca('Everybody');
  server = await ca.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' });
  ann = await ca.issue({ cn: 'ann', eku: 'client' });
});

async function identity(asking: 'none' | 'optional' | 'required'): Promise<ListenerIdentity> {
  if (asking === 'none') return listenerIdentity(server);
  const anchors = await openCallerAnchors(ca.pem, Date.now());
  return listenerIdentity(server, { ...anchors, crls: [], nextUpdate: undefined, isRequired: asking === 'required' });
}

/** What comes of a second handshake; null where it is let. */
async function shakeHandsAgain(port: number, protocol: string): Promise<unknown> {
  const shown = { cert: ann.chainPem, key: ann.keyPem, ca: ca.pem };
  const place = { host: '127.0.0.1', port, servername: 'localhost' };
  const socket = connect({ ...shown, ...place, maxVersion: 'TLSv1.2', ALPNProtocols: [protocol] });
  closing.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  const outcome = Promise.withResolvers<Error | null>();
  socket.on('error', outcome.resolve).resume();
  socket.renegotiate({}, outcome.resolve);
  return outcome.promise;
}

test.each(['none', 'optional', 'required'] as const)(
  'a second handshake is refused where certificates are %s, over HTTP/1.1 and HTTP/2, also after a rotation',
  async (asking) => {
    const fetch = async () => new Response('served');
    const presented = await identity(asking);
    const listener = await openListener(RUNTIME, { host: '127.0.0.1', port: 0, identity: presented, fetch });
    closing.push(() => listener.close(0));
    const refused = { code: 'ERR_SSL_NO_RENEGOTIATION' };
    for (const protocol of ['http/1.1', 'h2'])
      expect(await shakeHandsAgain(listener.port, protocol)).toMatchObject(refused);
    await listener.present(await identity(asking));
    expect(await shakeHandsAgain(listener.port, 'http/1.1')).toMatchObject(refused);
  },
);
