import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askHttps } from '../support/ask-https.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';
import { runPostern } from '../support/postern.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';
import { openSocket } from '../support/web-socket.ts';

let gateway: TlsPostern;
let ca: MintedCa;
let caller: MintedCertificate;
beforeAll(async () => {
  ca = await (await mintPki()).ca('Callers');
  const below = await ca.intermediate('Callers of one team');
  caller = await below.issue({ cn: 'caller', eku: 'client' });
  gateway = await startTlsPostern({
    env: { CA_CERTS: 'callers.pem', CERT_REQS: '2' },
    files: { 'callers.pem': ca.pem },
    caller,
  });
});
afterAll(() => gateway?.close());

async function statusOf(path: string, headers: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  return (await askHttps(gateway.source.url + path, { ...gateway.tls(caller), headers })).status;
}

test('without one there is no connection; with one a token says more than it', async () => {
  const authorization = `Bearer ${gateway.token}`;
  await expect(gateway.echo('nobody')).rejects.toThrow();
  expect(await gateway.echo('somebody', caller)).toBe('somebody');
  expect([await statusOf('/v1/gateways'), await statusOf('/v1/gateways', { authorization })]).toEqual([403, 200]);
});

test('the same over HTTP/2 and WebSocket', async () => {
  const { url } = gateway.source;
  const session = connect(url, { ...gateway.tls(caller) } as object);
  const [headers] = (await once(session.request({ ':path': '/health' }), 'response')) as [Record<string, unknown>];
  expect(headers[':status']).toBe(200);
  session.destroy();
  const token = { headers: { authorization: `Bearer ${gateway.token}` } };
  const { socket } = await openSocket(`${url}/ws`, { ...gateway.tls(caller), ...token } as object);
  socket.terminate();
  await expect(openSocket(`${url}/ws`, { ...gateway.tls(), ...token } as object)).rejects.toThrow();
});

test('health is found without one, on a listener of its own that has nothing else', async () => {
  const { health, url } = gateway.process;
  expect(health).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/health$/);
  expect(new URL(health).port).not.toBe(new URL(url).port);
  expect((await fetch(health)).status).toBe(200);
  expect((await fetch(new URL('/ready', health))).status).toBe(200);
  expect((await fetch(new URL('/mcp', health))).status).toBe(404);
  expect(await statusOf('/health')).toBe(200);
});

test.each([
  ['a CA file that is not there', 'nowhere.pem', undefined, 'nowhere.pem is refused: there is no such file'],
  ['no CA', 'both.pem', undefined, 'both.pem: CN=first, given as a client CA, is not a CA'],
  ['no list of the CA', 'callers.pem', 'both.pem', 'both.pem: expected X509 CRL blocks'],
])('%s: nothing listens', async (_, clientCa, crl, message) => {
  const args = ['serve', '--port', '0', '--tls-cert', 'both.pem', '--client-auth', 'optional', '--client-ca', clientCa];
  const lists = crl === undefined ? [] : ['--client-crl', crl];
  const ran = await runPostern([...args, ...lists], { cwd: gateway.folder.path });
  expect([ran.code, ran.stdout]).toEqual([1, '']);
  expect(ran.stderr).toContain(message);
});
