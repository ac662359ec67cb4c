/** A proxy somewhere else is believed for the certificate it shows, on each connection it shows it on. */
import { connect } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askHttps } from '../support/ask-https.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCertificate } from '../support/pki.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';
import { openSocket, refusedSocket } from '../support/web-socket.ts';

let gateway: TlsPostern;
let front: MintedCertificate;
let ann: MintedCertificate;
let says: Readonly<Record<string, string>>;
beforeAll(async () => {
  const ca = await (await mintPki()).ca('Callers');
  front = await ca.issue({ cn: 'front', dns: ['front.example.org'], eku: 'client' });
  ann = await ca.issue({ cn: 'ann', eku: 'client' });
  const bob = await ca.issue({ cn: 'bob', eku: 'client' });
  says = { 'client-cert': `:${Buffer.from(bob.certificate.der).toString('base64')}:` };
  gateway = await startTlsPostern({
    env: {
      CA_CERTS: 'callers.pem',
      CERT_REQS: 'optional',
      TRUST_PROXY_AUTH: 'true',
      PROXY_USER_HEADER: 'Client-Cert',
      POSTERN_TRUSTED_PROXIES: 'cert:front.example.org',
    },
    files: { 'callers.pem': ca.pem },
  });
});
afterAll(() => gateway?.close());

async function ask(shown: MintedCertificate | undefined, headers: Readonly<Record<string, string>>): Promise<string> {
  return (await askHttps(`${gateway.source.url}/v1/gateways`, { ...gateway.tls(shown), headers })).text;
}

test('what it says is believed, and what others say is not', async () => {
  expect(await ask(front, says)).toContain('bob has role user');
  expect(await ask(ann, says)).toContain('ann has role user');
  expect(await ask(undefined, says)).toContain('met neither');
});

test('it is nobody itself', async () => {
  expect(await ask(front, {})).toContain('met neither');
  const authorization = `Bearer ${gateway.token}`;
  expect(await ask(front, { authorization })).toContain('"slug":"up"');
});

test('over one HTTP/2 connection each request has its own caller', async () => {
  const session = connect(gateway.source.url, { ...gateway.tls(front) } as object);
  const asked = async (headers: Readonly<Record<string, string>>): Promise<string> => {
    const stream = session.request({ ':path': '/v1/gateways', ...headers });
    return (await stream.setEncoding('utf8').toArray()).join('');
  };
  const answers = await Promise.all([asked(says), asked({}), asked(says)]);
  session.destroy();
  expect(answers.map((answer) => /bob has role user|met neither/.exec(answer)?.[0])).toEqual([
    'bob has role user',
    'met neither',
    'bob has role user',
  ]);
});

test('and over WebSocket', async () => {
  const url = `${gateway.source.url}/ws`;
  const opened = await openSocket(url, { ...gateway.tls(front), headers: says } as object);
  opened.say({ jsonrpc: '2.0', id: 1, method: 'ping' });
  expect(await opened.next()).toHaveProperty('id', 1);
  opened.socket.terminate();
  expect((await refusedSocket(url, { ...gateway.tls(front) } as object)).status).toBe(401);
  expect((await refusedSocket(url, { ...gateway.tls(), headers: says } as object)).status).toBe(401);
});
