/** Trust is contracted on disk, in a running process: who is let in no more, who is cut, and who notices nothing. */
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';
import { tickOverHttp2, tickOverSse, tickOverWebSocket } from '../support/ticking.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

let gateway: TlsPostern;
let oldCa: MintedCa;
let keptCa: MintedCa;
let old: MintedCertificate;
let kept: MintedCertificate;
beforeAll(async () => {
  const pki = await mintPki();
  [oldCa, keptCa] = [await pki.ca('Old callers'), await pki.ca('Kept callers')];
  old = await oldCa.issue({ cn: 'old', eku: 'client' });
  kept = await keptCa.issue({ cn: 'kept', eku: 'client' });
  gateway = await startTlsPostern({
    args: ['--client-ca', 'callers.pem', '--client-auth', 'required'],
    files: { 'callers.pem': oldCa.pem + keptCa.pem },
    caller: kept,
  });
});
afterAll(() => gateway?.close());

const openStreams = (caller: MintedCertificate) => {
  const source = { ...gateway.source, cert: caller.chainPem, key: caller.keyPem };
  return Promise.all([tickOverSse(source), tickOverWebSocket(source), tickOverHttp2(source)]);
};

/** TLS sessions as a client keeps them for its next connection. */
async function keepSessions(caller: MintedCertificate, maxVersion: 'TLSv1.2' | 'TLSv1.3') {
  const socket = openTls(caller, { maxVersion });
  const sessions: Buffer[] = [];
  socket.on('session', (session) => void sessions.push(session));
  socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(socket, 'data');
  const session = socket.getSession();
  socket.destroy();
  return { maxVersion, sessions: [...sessions, ...(session ? [session] : [])] };
}

function openTls(caller: MintedCertificate, options: object): TLSSocket {
  const port = Number(new URL(gateway.source.url).port);
  const socket = connect({ ...gateway.tls(caller), host: 'localhost', port, servername: 'localhost', ...options });
  return socket.on('error', () => undefined);
}

test('callers of the old CA are cut within a second, streams and all; those of the kept one notice nothing', async () => {
  const [gone, stay] = [await openStreams(old), await openStreams(kept)];
  const resumable = [await keepSessions(old, 'TLSv1.2'), await keepSessions(old, 'TLSv1.3')];
  expect(await gateway.echo('both', old)).toBe('both');

  await gateway.write('callers.pem', keptCa.pem);
  const signalledAt = performance.now();
  gateway.process.signal('SIGHUP');
  expect(await Promise.all(gone.map(({ ended }) => ended))).toEqual([undefined, undefined, undefined]);
  expect(performance.now() - signalledAt).toBeLessThan(1000);
  expect(await gateway.process.logged('listener.cut')).toMatchObject({ connections: 3, why: 'trust', level: 'warn' });

  await Promise.all(stay.map((stream) => stream.more(20)));
  for (const { ticks } of stay) expect(ticks).toEqual(ticks.map((_, index) => index + 1));
  expect(await gateway.echo('kept', kept)).toBe('kept');
  await expect(gateway.echo('old', old)).rejects.toThrow();
  for (const { maxVersion, sessions } of resumable)
    for (const session of sessions) {
      const socket = openTls(old, { maxVersion, session });
      socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      await new Promise((resolve) => socket.once('close', resolve));
      expect(answer).toBe('');
    }
  for (const stream of stay) stream.close();
});

test('it shows in the metrics: what was cut, and when the client CAs end', async () => {
  const { notAfter } = keptCa.certificate.facts;
  const series = 'postern_certificate_not_after_seconds{role="client_ca",gateway="",generation="current"}';
  expect(await gateway.metric(series, kept)).toBe(Date.parse(notAfter) / 1000);
  expect(await gateway.metric('postern_cut_total{side="listener",gateway="",reason="trust"}', kept)).toBe(3);
});

test('the CA may come back, and a caller that was cut with it', async () => {
  await gateway.write('callers.pem', oldCa.pem + keptCa.pem);
  gateway.process.signal('SIGHUP');
  await expect.poll(() => gateway.echo('back', old).catch(() => undefined)).toBe('back');
});
