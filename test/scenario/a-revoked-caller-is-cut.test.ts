import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';
import { tickOverHttp2, tickOverSse, tickOverWebSocket } from '../support/ticking.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

let gateway: TlsPostern;
let ca: MintedCa;
let revoked: MintedCertificate;
let other: MintedCertificate;
beforeAll(async () => {
  ca = await (await mintPki()).ca('Callers');
  revoked = await ca.issue({ cn: 'revoked', eku: 'client' });
  other = await ca.issue({ cn: 'other', eku: 'client' });
  gateway = await startTlsPostern({
    args: ['--client-ca', 'callers.pem', '--client-auth', 'optional', '--client-crl', 'crl.pem'],
    files: { 'callers.pem': ca.pem, 'crl.pem': await ca.crl([]) },
  });
});
afterAll(() => gateway?.close());

const openStreams = (caller?: MintedCertificate) => {
  const source = { ...gateway.source, ...(caller && { cert: caller.chainPem, key: caller.keyPem }) };
  return Promise.all([tickOverSse(source), tickOverWebSocket(source), tickOverHttp2(source)]);
};

test('a list that names a caller cuts that caller within a second, and nobody else', async () => {
  const gone = await openStreams(revoked);
  const stay = [...(await openStreams(other)), ...(await openStreams())];
  const nextUpdate = new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000);
  await gateway.write('crl.pem', await ca.crl([revoked.serialNumber], { nextUpdate }));
  const signalledAt = performance.now();
  gateway.process.signal('SIGHUP');
  expect(await Promise.all(gone.map(({ ended }) => ended))).toEqual([undefined, undefined, undefined]);
  expect(performance.now() - signalledAt).toBeLessThan(1000);
  expect(await gateway.process.logged('listener.cut')).toMatchObject({ connections: 3, why: 'revoked' });

  await expect(gateway.echo('revoked', revoked)).rejects.toThrow();
  expect([await gateway.echo('other', other), await gateway.echo('nobody')]).toEqual(['other', 'nobody']);
  await Promise.all(stay.map((stream) => stream.more(10)));
  for (const { ticks } of stay) expect(ticks).toEqual(ticks.map((_, index) => index + 1));
  for (const stream of stay) stream.close();
  const series = 'postern_certificate_not_after_seconds{role="client_crl",gateway="",generation="current"}';
  expect(await gateway.metric(series)).toBe(nextUpdate.getTime() / 1000);
});

test.each([
  ['is out of date', 'crl_not_current'],
  ['is of another authority', 'crl_missing'],
  ['is cut off', 'crl_unreadable'],
] as const)('a list that %s leaves the last good one in force', async (kind, code) => {
  const [day, now] = [86_400_000, Date.now()];
  const lists = {
    'is out of date': () => ca.crl([], { thisUpdate: new Date(now - 2 * day), nextUpdate: new Date(now - day) }),
    'is of another authority': () => gateway.ca.crl([]),
    'is cut off': async () => (await ca.crl([])).slice(0, 200),
  };
  const list = await lists[kind]();
  await gateway.write('crl.pem', list);
  gateway.process.signal('SIGHUP');
  await expect.poll(() => gateway.process.logged('listener.kept')).toMatchObject({ code });
  await expect(gateway.echo('revoked', revoked)).rejects.toThrow();
  expect(await gateway.echo('other', other)).toBe('other');
});

test('a certificate nobody vouches for is refused, where none would do', async () => {
  const foreign = await gateway.ca.issue({ cn: 'foreign', eku: 'client' });
  const port = Number(new URL(gateway.source.url).port);
  const socket = connect({ ...gateway.tls(foreign), host: 'localhost', port, servername: 'localhost' });
  socket.on('error', () => undefined).resume();
  await new Promise((resolve) => socket.once('close', resolve));
  expect(await gateway.echo('nobody')).toBe('nobody');
});
